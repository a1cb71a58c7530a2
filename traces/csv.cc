#include "traces/csv.h"

#include <algorithm>
#include <charconv>

#include "engine/base/str.h"

namespace orrery::traces {

Result<CsvReader> CsvReader::open(std::string text, std::string file, const std::vector<std::string_view>& required) {
  CsvReader reader;
  reader.text_ = std::move(text);
  reader.file_ = std::move(file);
  if (reader.text_.starts_with("\xef\xbb\xbf")) reader.at_ = 3;
  ORRERY_ASSIGN(const bool any, reader.read_row(&reader.header_));
  if (!any) return bad_request(reader.file_ + ": the file is empty");
  for (std::string_view column : required)
    if (!reader.has(column)) {
      std::string found;
      for (const std::string& h : reader.header_) found += (found.empty() ? "" : ",") + h;
      if (found.size() > 120) found = found.substr(0, 120) + "...";
      return bad_request(str_cat(reader.file_, ":1: no column \"", column, "\"; found ", found));
    }
  return reader;
}

Result<bool> CsvReader::read_row(std::vector<std::string>* row) {
  row->clear();
  line_ = next_line_;
  if (at_ >= text_.size()) return false;
  std::string field;
  bool quoted = false;
  for (;; ++at_) {
    const bool end = at_ >= text_.size();
    const char c = end ? '\n' : text_[at_];
    if (c == '\0') return bad_request(str_cat(file_, ":", uint64_t{next_line_}, ": found a NUL byte, this is no text file"));
    if (quoted) {
      if (end) return bad_request(str_cat(file_, ":", uint64_t{line_}, ": a quoted field does not end"));
      if (c == '"' && at_ + 1 < text_.size() && text_[at_ + 1] == '"') field += text_[at_++];
      else if (c == '"') quoted = false;
      else field += c;
      next_line_ += c == '\n';
    } else if (c == '"' && field.empty()) {
      quoted = true;
    } else if (c == ',') {
      row->push_back(std::move(field));
      field.clear();
    } else if (c == '\n') {
      if (field.ends_with('\r')) field.pop_back();
      row->push_back(std::move(field));
      ++at_;
      ++next_line_;
      return true;
    } else {
      field += c;
    }
  }
}

Result<bool> CsvReader::next() {
  do {
    ORRERY_ASSIGN(const bool more, read_row(&row_));
    if (!more) return false;
  } while (row_.size() == 1 && row_[0].empty());
  if (row_.size() != header_.size())
    return bad_request(str_cat(file_, ":", uint64_t{line_}, ": found ", uint64_t{row_.size()}, " fields, must be ", uint64_t{header_.size()},
                               " as in the header"));
  return true;
}

size_t CsvReader::index_of(std::string_view column) const {
  return static_cast<size_t>(std::find(header_.begin(), header_.end(), column) - header_.begin());
}

bool CsvReader::has(std::string_view column) const { return index_of(column) < header_.size(); }

std::string_view CsvReader::text(std::string_view column) const {
  const size_t i = index_of(column);
  return i < row_.size() ? std::string_view(row_[i]) : std::string_view();
}

Status CsvReader::error(std::string_view column, std::string_view what) const {
  return bad_request(str_cat(file_, ":", uint64_t{line_}, ": ", column, ": found \"", text(column), "\", ", what));
}

Result<int64_t> CsvReader::integer(std::string_view column, int64_t low, int64_t high) const {
  const std::string_view t = text(column);
  int64_t value = 0;
  const auto [end, fault] = std::from_chars(t.data(), t.data() + t.size(), value);
  if (t.empty() || fault != std::errc() || end != t.data() + t.size() || value < low || value > high)
    return error(column, str_cat("must be a whole number in ", low, "..", high));
  return value;
}

Result<double> CsvReader::number(std::string_view column, double low, double high) const {
  const std::string_view t = text(column);
  double value = 0;
  const auto [end, fault] = std::from_chars(t.data(), t.data() + t.size(), value);
  if (t.empty() || fault != std::errc() || end != t.data() + t.size() || !(value >= low && value <= high))
    return error(column, str_cat("must be a number in ", static_cast<int64_t>(low), "..", static_cast<int64_t>(high)));
  return value;
}

}  // namespace orrery::traces
