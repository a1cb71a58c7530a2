// JSON trees -> objects.
#include "engine/api/json_decoder.h"

namespace orrery::api {

Result<Object> object_from_json(const Json& json, const DecodeOptions& options) {
  return decode_object(TreeNode{&json}, options);
}

Status from_json(const Json& json, const TypeDesc& type, void* object, const DecodeOptions& options) {
  return Decoder<TreeNode>(options).decode(TreeNode{&json}, type, object);
}

Status from_json(const Json& json, const TypeDesc& type, void* object, const DecodeOptions& options, const NumberTexts& numbers) {
  return Decoder<TreeNode>(options).decode(TreeNode{&json, &numbers}, type, object);
}

}  // namespace orrery::api
