#include <cstdint>
#include <string>

#include "traces/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto csv = orrery::traces::CsvReader::open({reinterpret_cast<const char*>(data), size}, "fuzz", {"a"});
  if (!csv.is_ok()) return 0;
  for (;;) {
    const auto more = csv->next();
    if (!more.is_ok() || !*more) return 0;
    static_cast<void>(csv->integer("a", 0, 1000).is_ok());
    static_cast<void>(csv->number("b", 0, 1).is_ok());
  }
}
