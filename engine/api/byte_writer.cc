#include "engine/api/byte_writer.h"

#include <algorithm>
#include <utility>

namespace orrery::api {

void ByteWriter::grow(size_t n) {
  const size_t used = size();
  text_.resize(std::max(used + n, 2 * text_.size()));
  begin_ = text_.data();
  at_ = begin_ + used;
  end_ = begin_ + text_.size();
}

std::string ByteWriter::take() {
  text_.resize(size());
  return std::move(text_);
}

}  // namespace orrery::api
