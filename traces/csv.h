#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace orrery::traces {

/// A CSV text by rows (RFC 4180: quotes, CRLF; a byte-order mark is skipped), with typed access
/// whose errors name file, line and column.
class CsvReader {
 public:
  /// The first row names the columns; BadRequest unless `required` are among them.
  static Result<CsvReader> open(std::string text, std::string file, const std::vector<std::string_view>& required);

  /// False at the end. Rows of another length than the header, and bytes that are no text, are errors.
  Result<bool> next();
  size_t line() const { return line_; }
  bool has(std::string_view column) const;
  /// The field of the row at hand; "" for columns that the file lacks.
  std::string_view text(std::string_view column) const;
  /// A whole number in [low, high].
  Result<int64_t> integer(std::string_view column, int64_t low, int64_t high) const;
  /// A number in [low, high].
  Result<double> number(std::string_view column, double low, double high) const;
  Status error(std::string_view column, std::string_view what) const;

 private:
  size_t index_of(std::string_view column) const;
  Result<bool> read_row(std::vector<std::string>* row);

  std::string text_;
  std::string file_;
  size_t at_ = 0;
  size_t line_ = 0;
  size_t next_line_ = 1;
  std::vector<std::string> header_;
  std::vector<std::string> row_;
};

}  // namespace orrery::traces
