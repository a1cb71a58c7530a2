#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace orrery::server {

/// Aligns cells that end with tabs in lines of text, as Go's text/tabwriter does with the settings of
/// kubectl: columns at least 6 wide, 3 spaces between them, widths never shrink. The last cell of a
/// line belongs to no column. Widths count code points.
class TabWriter {
 public:
  /// Lines end with '\n', cells with '\t' or '\v'.
  void write(std::string_view text);
  /// All the text so far, aligned.
  std::string finish();

 private:
  using Line = std::vector<std::string>;
  void end_line();
  void flush();
  void format(size_t begin, size_t end);
  void write_lines(size_t begin, size_t end);
  /// The width of the column that begins at widths_.size(), over lines [begin, *end).
  size_t column_width(size_t begin, size_t* end, size_t limit);

  std::vector<Line> lines_;
  Line line_;
  std::string cell_;
  std::vector<size_t> widths_;
  std::vector<size_t> widths_max_;  // of each column so far
  std::string out_;
};

}  // namespace orrery::server
