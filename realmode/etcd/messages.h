#pragma once

#include <functional>
#include <string>

#include "engine/ports/store.h"
#include "realmode/etcd/proto/etcd.pb.h"

namespace orrery::realmode {

/// The port's structs in etcd's messages and back.

using EncodeObject = std::function<std::string(const api::Object&)>;

void to_message(const RangeRequest& request, etcdserverpb::RangeRequest* message);
void to_message(const TxnRequest& request, const EncodeObject& encode,
                etcdserverpb::TxnRequest* message);

KeyValue from_message(const etcdserverpb::KeyValue& message);
/// Appends to `response`.
void from_message(const etcdserverpb::RangeResponse& message, RangeResponse* response);
TxnResponse from_message(const etcdserverpb::TxnResponse& message);
StoreWatchEvent from_message(const etcdserverpb::Event& message);

}  // namespace orrery::realmode
