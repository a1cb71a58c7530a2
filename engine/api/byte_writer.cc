#include "engine/api/byte_writer.h"

#include <algorithm>
#include <cstdlib>

#include "engine/base/check.h"

namespace orrery::api {

ByteWriter::~ByteWriter() { std::free(begin_); }

void ByteWriter::grow(size_t n) {
  const size_t used = size();
  const size_t capacity = std::max(used + n, 2 * static_cast<size_t>(end_ - begin_));
  begin_ = static_cast<char*>(std::realloc(begin_, capacity));
  CHECK(begin_ != nullptr) << "out of memory";
  at_ = begin_ + used;
  end_ = begin_ + capacity;
}

}  // namespace orrery::api
