#include "engine/api/json_source.h"

namespace orrery::api {

std::string_view type_name(NodeType type) {
  switch (type) {
    case NodeType::kNull: return "null";
    case NodeType::kBool: return "a boolean";
    case NodeType::kString: return "a string";
    case NodeType::kArray: return "a list";
    case NodeType::kObject: return "an object";
    default: return "a number";
  }
}

}  // namespace orrery::api
