#include "realmode/etcd/messages.h"

namespace orrery::realmode {

void to_message(const RangeRequest& request, etcdserverpb::RangeRequest* message) {
  message->set_key(request.key.str());
  message->set_range_end(request.range_end.str());
  message->set_limit(request.limit);
  message->set_revision(request.revision);
  message->set_keys_only(request.keys_only);
  message->set_count_only(request.count_only);
}

namespace {

void compare_message(const StoreCompare& compare, etcdserverpb::Compare* message) {
  using Message = etcdserverpb::Compare;
  message->set_key(compare.key.str());
  switch (compare.op) {
    case StoreCompare::Op::kEqual:
      message->set_result(Message::EQUAL);
      break;
    case StoreCompare::Op::kGreater:
      message->set_result(Message::GREATER);
      break;
    case StoreCompare::Op::kLess:
      message->set_result(Message::LESS);
      break;
    case StoreCompare::Op::kNotEqual:
      message->set_result(Message::NOT_EQUAL);
      break;
  }
  switch (compare.target) {
    case StoreCompare::Target::kModRevision:
      message->set_target(Message::MOD);
      message->set_mod_revision(compare.number);
      break;
    case StoreCompare::Target::kCreateRevision:
      message->set_target(Message::CREATE);
      message->set_create_revision(compare.number);
      break;
    case StoreCompare::Target::kVersion:
      message->set_target(Message::VERSION);
      message->set_version(compare.number);
      break;
  }
}

void op_message(const StoreOp& op, const EncodeObject& encode, etcdserverpb::RequestOp* message) {
  switch (op.kind) {
    case StoreOp::Kind::kRange:
      return to_message(op.range, message->mutable_request_range());
    case StoreOp::Kind::kDelete: {
      auto* erase = message->mutable_request_delete_range();
      erase->set_key(op.range.key.str());
      erase->set_range_end(op.range.range_end.str());
      return;
    }
    case StoreOp::Kind::kPut: {
      auto* put = message->mutable_request_put();
      put->set_key(op.range.key.str());
      put->set_value(op.value.object ? encode(op.value.object) : op.value.bytes.str());
      put->set_lease(op.lease);
      return;
    }
  }
}

}  // namespace

void to_message(const TxnRequest& request, const EncodeObject& encode,
                etcdserverpb::TxnRequest* message) {
  for (const StoreCompare& compare : request.compares)
    compare_message(compare, message->add_compare());
  for (const StoreOp& op : request.success) op_message(op, encode, message->add_success());
  for (const StoreOp& op : request.failure) op_message(op, encode, message->add_failure());
}

KeyValue from_message(const etcdserverpb::KeyValue& message) {
  KeyValue kv;
  kv.key = Str(message.key());
  kv.value.bytes = Str(message.value());
  kv.create_revision = message.create_revision();
  kv.mod_revision = message.mod_revision();
  kv.version = message.version();
  kv.lease = message.lease();
  return kv;
}

void from_message(const etcdserverpb::RangeResponse& message, RangeResponse* response) {
  response->kvs.reserve(response->kvs.size() + static_cast<size_t>(message.kvs_size()));
  for (const auto& kv : message.kvs()) response->kvs.push_back(from_message(kv));
  response->more = message.more();
}

TxnResponse from_message(const etcdserverpb::TxnResponse& message) {
  TxnResponse response;
  response.succeeded = message.succeeded();
  for (const auto& op : message.responses()) {
    TxnResponse::OpResult result;
    if (op.has_response_range()) {
      from_message(op.response_range(), &result.range);
      result.range.count = op.response_range().count();
    } else if (op.has_response_delete_range()) {
      result.deleted = op.response_delete_range().deleted();
    }
    response.results.push_back(std::move(result));
  }
  return response;
}

StoreWatchEvent from_message(const etcdserverpb::Event& message) {
  StoreWatchEvent event;
  event.kind = message.type() == etcdserverpb::Event::PUT ? StoreWatchEvent::Kind::kPut
                                                          : StoreWatchEvent::Kind::kDelete;
  event.kv = from_message(message.kv());
  if (message.has_prev_kv()) event.prev = Ref<KeyValue>::make(from_message(message.prev_kv()));
  event.revision = event.kv.mod_revision;
  return event;
}

}  // namespace orrery::realmode
