#include "engine/server/print/tab_writer.h"

#include <algorithm>

namespace orrery::server {
namespace {

constexpr size_t kWidthMin = 6, kPadding = 3;

size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

void TabWriter::write(std::string_view text) {
  for (const char c : text) {
    if (c == '\t' || c == '\v') {
      line_.push_back(std::move(cell_));
      cell_.clear();
    } else if (c == '\n') {
      end_line();
    } else {
      cell_ += c;
    }
  }
}

void TabWriter::end_line() {
  line_.push_back(std::move(cell_));
  cell_.clear();
  // A line of one cell ends all columns.
  const bool alone = line_.size() == 1;
  lines_.push_back(std::move(line_));
  line_.clear();
  if (alone) flush();
}

void TabWriter::flush() {
  format(0, lines_.size());
  lines_.clear();
}

std::string TabWriter::finish() {
  const bool open = !cell_.empty() || !line_.empty();
  if (open) end_line();
  flush();
  if (open) out_.pop_back();
  return std::move(out_);
}

size_t TabWriter::column_width(size_t begin, size_t* end, size_t limit) {
  const size_t column = widths_.size();
  size_t width = kWidthMin;
  for (*end = begin; *end < limit && column + 1 < lines_[*end].size(); ++*end)
    width = std::max(width, width_of(lines_[*end][column]) + kPadding);
  if (widths_max_.size() <= column) widths_max_.resize(column + 1);
  return widths_max_[column] = std::max(widths_max_[column], width);
}

void TabWriter::format(size_t begin, size_t end) {
  const size_t column = widths_.size();
  for (size_t i = begin; i < end; ++i) {
    if (column + 1 >= lines_[i].size()) continue;
    write_lines(begin, i);
    size_t block_end = i;
    widths_.push_back(column_width(i, &block_end, end));
    format(i, block_end);
    widths_.pop_back();
    begin = block_end;
    i = block_end - 1;
  }
  write_lines(begin, end);
}

void TabWriter::write_lines(size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    for (size_t j = 0; j < lines_[i].size(); ++j) {
      const std::string& cell = lines_[i][j];
      out_ += cell;
      const size_t width = width_of(cell);
      if (j < widths_.size() && width < widths_[j]) out_.append(widths_[j] - width, ' ');
    }
    out_ += '\n';
  }
}

}  // namespace orrery::server
