#include "tests/support/vectors.h"

#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace orrery::test {

std::string vectors_folder() {
  const char* set = std::getenv("ORRERY_VECTORS");
  const std::string folder = set ? set : "../shared/vectors";
  return std::filesystem::is_directory(folder) ? folder : "";
}

std::vector<api::Json> read_vectors(const std::string& path) {
  const std::string folder = vectors_folder();
  if (folder.empty()) {
    std::printf("skipped: no recorded vectors (set ORRERY_VECTORS)\n");
    std::exit(77);
  }
  gzFile file = gzopen((folder + "/" + path).c_str(), "rb");
  if (!file) {
    std::printf("cannot read %s/%s\n", folder.c_str(), path.c_str());
    std::exit(1);
  }
  std::string text;
  char buffer[1 << 16];
  for (int n; (n = gzread(file, buffer, sizeof(buffer))) > 0;)
    text.append(buffer, static_cast<size_t>(n));
  gzclose(file);
  std::vector<api::Json> lines;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    auto parsed = api::Json::parse(std::string_view(text).substr(begin, end - begin));
    if (!parsed.is_ok()) {
      std::printf("%s: %s\n", path.c_str(), parsed.status().message().c_str());
      std::exit(1);
    }
    lines.push_back(std::move(*parsed));
    begin = end + 1;
  }
  return lines;
}

int run_family(const std::string& family, const std::vector<api::Json>& cases,
               const std::function<std::string(const api::Json&)>& check, double required) {
  constexpr size_t kShown = 8;
  size_t passed = 0, failed = 0;
  for (const api::Json& one : cases) {
    const std::string difference = check(one);
    if (difference.empty()) {
      ++passed;
    } else if (++failed <= kShown) {
      std::printf("  %s: %s\n", one["name"].as_string().c_str(), difference.c_str());
    }
  }
  std::printf("%s: %zu/%zu\n", family.c_str(), passed, cases.size());
  return static_cast<double>(passed) >= required * static_cast<double>(cases.size()) - 1e-9 &&
                 !cases.empty()
             ? 0
             : 1;
}

int run_program(int argc, char** argv,
                const std::map<std::string, std::function<int()>>& families) {
  if (argc > 1) {
    const auto it = families.find(argv[1]);
    if (it == families.end()) {
      std::printf("no family %s\n", argv[1]);
      return 2;
    }
    return it->second();
  }
  int code = 0;
  for (const auto& [name, run] : families) code |= run();
  return code;
}

namespace {

std::string cut(const std::string& text) {
  return text.size() > 300 ? text.substr(0, 300) + "..." : text;
}

}  // namespace

std::string expect_equal(const std::string& what, const std::string& expected,
                         const std::string& actual) {
  if (expected == actual) return "";
  return what + ": expected " + cut(expected) + ", got " + cut(actual);
}

std::string expect_equal(const std::string& what, const api::Json& expected,
                         const api::Json& actual) {
  return expected == actual ? "" : expect_equal(what, expected.dump_sorted(), actual.dump_sorted());
}

}  // namespace orrery::test
