#include "realmode/daemon/token_file.h"

#include <algorithm>
#include <optional>

#include "engine/base/str.h"

namespace orrery::realmode {
namespace {

/// The columns of a line; nullopt if a quotation is broken.
std::optional<std::vector<std::string>> columns_of(std::string_view line) {
  std::vector<std::string> columns(1);
  bool quoted = false, closed = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      columns.back() += line[++i];
    } else if (quoted && c == '"') {
      quoted = false;
      closed = true;
    } else if (!quoted && c == ',') {
      columns.emplace_back();
      closed = false;
    } else if (!quoted && c == '"' && columns.back().empty() && !closed) {
      quoted = true;
    } else if (closed || (!quoted && c == '"')) {
      return std::nullopt;
    } else if (quoted || !columns.back().empty() ||
               c != ' ') {  // blanks before a column are dropped
      columns.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return columns;
}

void split_groups(std::string_view text, std::vector<std::string>& groups) {
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) groups.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
}

}  // namespace

Result<std::vector<server::StaticToken>> parse_token_file(std::string_view text) {
  std::vector<server::StaticToken> tokens;
  int number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const auto columns = columns_of(line);
    if (!columns) return invalid(str_cat("line ", number, ": broken quotation"));
    if (columns->size() < 3)
      return invalid(str_cat("line ", number, ": expected token,user,uid[,groups], found ",
                             uint64_t{columns->size()}, " columns"));
    if ((*columns)[0].empty()) return invalid(str_cat("line ", number, ": empty token"));
    server::StaticToken token{(*columns)[0], (*columns)[1], (*columns)[2], {}};
    if (columns->size() > 3) split_groups((*columns)[3], token.groups);
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace orrery::realmode
