#include "realmode/etcd/etcd_store.h"

#include <utility>

#include "engine/api/storage.h"
#include "realmode/etcd/client.h"
#include "realmode/etcd/lease_keep_alive.h"
#include "realmode/etcd/messages.h"
#include "realmode/etcd/watches.h"

namespace orrery::realmode {
namespace {

namespace pb = etcdserverpb;

/// A range read page by page, at the revision of its first page.
struct RangeJob {
  Ticket ticket;
  RangeRequest request;
  StoreOutcome outcome;
};
using RangeCall = UnaryCall<pb::RangeRequest, pb::RangeResponse>;

void add_page(RangeJob& job, RangeCall& call) {
  StoreOutcome& outcome = job.outcome;
  if (outcome.revision == 0) {
    outcome.revision = call.response.header().revision();
    outcome.range.count = call.response.count();
  }
  from_message(call.response, &outcome.range);
}

/// Makes `call` ask for the page after the last one.
void turn_page(const RangeJob& job, RangeCall& call) {
  const StoreOutcome& outcome = job.outcome;
  call.request.set_key(outcome.range.kvs.back().key.str() + '\0');
  if (job.request.revision == 0) call.request.set_revision(outcome.revision);
}

}  // namespace

Result<std::unique_ptr<EtcdStore>> EtcdStore::open(Lanes* lanes, Timers* timers,
                                                   EtcdOptions options) {
  if (!options.encode) options.encode = api::encode_storage;
  ORRERY_ASSIGN(std::vector<Member> members, make_members(options));
  std::unique_ptr<EtcdStore> store(new EtcdStore(lanes, std::move(options)));
  store->client_ =
      std::make_unique<EtcdClient>(lanes, timers, &store->options_, std::move(members));
  store->watches_ = std::make_unique<EtcdWatches>(lanes, store->client_.get());
  store->client_->set_lane(lanes->open("etcd", store.get()));
  store->client_->set_on_contact([watches = store->watches_.get()] { watches->on_contact(); });
  return store;
}

EtcdStore::EtcdStore(Lanes* lanes, EtcdOptions options)
    : lanes_(lanes), options_(std::move(options)) {}

EtcdStore::~EtcdStore() {
  lanes_->close(client_->lane());
  watches_->shut_down();
  client_->shut_down();
}

void EtcdStore::handle(const Ctx&, const Event& event) { client_->handle(event); }

void EtcdStore::answer(Ticket ticket, StoreOutcome outcome) {
  client_->saw(outcome.revision);
  lanes_->post(ticket.lane, {EventKind::kDone, 0, ticket.op, outcomes_.put(std::move(outcome))});
}

void EtcdStore::range(Ticket ticket, RangeRequest request) {
  auto job = std::make_shared<RangeJob>(RangeJob{ticket, std::move(request), {}});
  const bool whole = job->request.limit == 0 && !job->request.count_only;
  auto call = std::make_shared<RangeCall>(
      [](Member& member, grpc::ClientContext* context, const pb::RangeRequest* message,
         pb::RangeResponse* response, EtcdCall::Returned returned) {
        member.kv->async()->Range(context, message, response, std::move(returned));
      },
      nullptr);
  call->may_repeat = true;
  to_message(job->request, &call->request);
  if (whole) call->request.set_limit(options_.page);
  call->convert = [job](RangeCall& page) { add_page(*job, page); };
  call->set_done(
      [this, job, whole, weak = std::weak_ptr(call)](const Status& status, RangeCall& page) {
        StoreOutcome& outcome = job->outcome;
        if (status.is_ok() && whole && outcome.range.more) {
          turn_page(*job, page);
          return client_->submit(weak.lock());
        }
        const bool overtaken =
            status.code() == Code::kExpired && job->request.revision == 0 && outcome.revision != 0;
        if (overtaken) return range(job->ticket, job->request);
        outcome.status = status;
        answer(job->ticket, std::move(outcome));
      });
  client_->submit(call);
}

void EtcdStore::txn(Ticket ticket, TxnRequest request) {
  using Call = UnaryCall<pb::TxnRequest, pb::TxnResponse>;
  auto outcome = std::make_shared<StoreOutcome>();
  auto call = std::make_shared<Call>(
      [](Member& member, grpc::ClientContext* context, const pb::TxnRequest* message,
         pb::TxnResponse* response, EtcdCall::Returned returned) {
        member.kv->async()->Txn(context, message, response, std::move(returned));
      },
      [this, ticket, outcome](const Status& status, Call&) {
        outcome->status = status;
        answer(ticket, std::move(*outcome));
      });
  to_message(request, options_.encode, &call->request);
  call->convert = [outcome](Call& done) {
    outcome->revision = done.response.header().revision();
    outcome->txn = from_message(done.response);
  };
  client_->submit(call);
}

void EtcdStore::lease_grant(Ticket ticket, Duration ttl) {
  using Call = UnaryCall<pb::LeaseGrantRequest, pb::LeaseGrantResponse>;
  auto call = std::make_shared<Call>(
      [](Member& member, grpc::ClientContext* context, const pb::LeaseGrantRequest* message,
         pb::LeaseGrantResponse* response, EtcdCall::Returned returned) {
        member.lease->async()->LeaseGrant(context, message, response, std::move(returned));
      },
      [this, ticket](const Status& status, Call& done) {
        StoreOutcome outcome;
        outcome.status = status;
        outcome.revision = done.response.header().revision();
        outcome.lease = done.response.id();
        answer(ticket, std::move(outcome));
      });
  const Duration second = Duration::seconds(1);
  call->request.set_ttl((ttl.ns + second.ns - 1) / second.ns);
  client_->submit(call);
}

void EtcdStore::lease_keep_alive(Ticket ticket, int64_t lease) {
  client_->submit(std::make_shared<LeaseKeepAliveCall>(
      lease, [this, ticket, lease](const Status& status, int64_t revision) {
        StoreOutcome outcome;
        outcome.status = status;
        outcome.revision = revision;
        outcome.lease = lease;
        answer(ticket, std::move(outcome));
      }));
}

void EtcdStore::lease_revoke(Ticket ticket, int64_t lease) {
  using Call = UnaryCall<pb::LeaseRevokeRequest, pb::LeaseRevokeResponse>;
  auto call = std::make_shared<Call>(
      [](Member& member, grpc::ClientContext* context, const pb::LeaseRevokeRequest* message,
         pb::LeaseRevokeResponse* response, EtcdCall::Returned returned) {
        member.lease->async()->LeaseRevoke(context, message, response, std::move(returned));
      },
      [this, ticket, lease](const Status& status, Call& done) {
        StoreOutcome outcome;
        outcome.status = status;
        outcome.revision = done.response.header().revision();
        outcome.lease = lease;
        answer(ticket, std::move(outcome));
      });
  call->request.set_id(lease);
  client_->submit(call);
}

void EtcdStore::compact(Ticket ticket, int64_t revision) {
  using Call = UnaryCall<pb::CompactionRequest, pb::CompactionResponse>;
  auto call = std::make_shared<Call>(
      [](Member& member, grpc::ClientContext* context, const pb::CompactionRequest* message,
         pb::CompactionResponse* response, EtcdCall::Returned returned) {
        member.kv->async()->Compact(context, message, response, std::move(returned));
      },
      [this, ticket](const Status& status, Call& done) {
        StoreOutcome outcome;
        outcome.status = status;
        outcome.revision = done.response.header().revision();
        answer(ticket, std::move(outcome));
      });
  call->request.set_revision(revision);
  client_->submit(call);
}

StoreWatchId EtcdStore::watch(LaneId lane, StoreWatchRequest request) {
  return watches_->add(lane, std::move(request));
}
void EtcdStore::drain(StoreWatchId watch, std::vector<StoreWatchEvent>& out) {
  watches_->drain(watch, out);
}
void EtcdStore::unwatch(StoreWatchId watch) { watches_->remove(watch); }
void EtcdStore::request_progress(StoreWatchId watch) { watches_->request_progress(watch); }

}  // namespace orrery::realmode
