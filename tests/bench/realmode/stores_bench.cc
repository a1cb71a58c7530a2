// Durable writes per second of the stores of a real cluster, with 1, 8 and 64 in flight, and of
// etcd itself (plain Put calls through its generated client). All files lie in the folder for
// temporary files: set TMPDIR to measure another disk, the same for all.
#include <benchmark/benchmark.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <condition_variable>
#include <mutex>

#include "realmode/etcd/etcd_store.h"
#include "realmode/etcd/proto/etcd.grpc.pb.h"
#include "realmode/loop/loop.h"
#include "realmode/sqlite/sqlite_store.h"
#include "tests/contract/etcd_process.h"

namespace orrery {
namespace {

constexpr int kPutsPerIteration = 2000;
constexpr int kValueBytes = 1500;

std::string key_of(int64_t i) { return str_cat("/registry/pods/default/pod-", i); }

/// Creates as the API server does it: put if the key is not there, else read it. One watch sees
/// all.
class Writer final : public LaneHandler {
 public:
  Writer(realmode::Loop* loop, Store* store, int in_flight)
      : loop_(loop), store_(store), in_flight_(in_flight), lane_(loop->open("writer", this)) {
    StoreWatchRequest request;
    request.key = "/registry/";
    request.range_end = "/registry0";
    watch_ = store->watch(lane_, request);
  }
  void write(int count) {
    left_ = count;
    for (int i = 0; i < in_flight_; ++i) begin();
    while (left_ > 0 || running_ > 0)
      CHECK(loop_->step(loop_->now() + Duration::seconds(60))) << "stuck";
  }
  void handle(const Ctx&, const Event& event) override {
    if (event.kind == EventKind::kWatch) {
      events_.clear();
      return store_->drain(watch_, events_);
    }
    const StoreOutcome outcome = store_->take(event.b);
    CHECK(outcome.status.is_ok() && outcome.txn.succeeded) << outcome.status.message();
    --running_;
    begin();
  }

 private:
  void begin() {
    if (left_ == 0) return;
    --left_;
    ++running_;
    StoreOp put, read;
    put.range.key = Str(key_of(next_++));
    put.value.bytes = value_;
    read.kind = StoreOp::Kind::kRange;
    read.range.key = put.range.key;
    const StoreCompare absent{put.range.key, StoreCompare::Target::kModRevision,
                              StoreCompare::Op::kEqual, 0};
    store_->txn({lane_, 0}, {{absent}, {put}, {read}});
  }

  realmode::Loop* loop_;
  Store* store_;
  int in_flight_;
  LaneId lane_;
  StoreWatchId watch_;
  std::vector<StoreWatchEvent> events_;
  const Str value_{std::string(kValueBytes, 'v')};
  int64_t next_ = 0;
  int left_ = 0;
  int running_ = 0;
};

void count(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * kPutsPerIteration);
  state.SetBytesProcessed(state.iterations() * kPutsPerIteration * kValueBytes);
}

void store_put_sqlite(benchmark::State& state) {
  const contract::TemporaryFolder folder;
  realmode::Loop loop;
  const auto store = realmode::SqliteStore::open(&loop, {folder.file("state.db"), {}}).value();
  Writer writer(&loop, store.get(), static_cast<int>(state.range(0)));
  for (auto _ : state) writer.write(kPutsPerIteration);
  count(state);
}

std::unique_ptr<contract::EtcdCluster> make_cluster(benchmark::State& state) {
  if (!contract::EtcdCluster::program()) {
    state.SkipWithError("etcd is not installed");
    return nullptr;
  }
  return std::make_unique<contract::EtcdCluster>(
      contract::EtcdCluster::Options{.parent = std::filesystem::temp_directory_path()});
}

void store_put_etcd(benchmark::State& state) {
  const auto cluster = make_cluster(state);
  if (!cluster) return;
  realmode::Loop loop;
  realmode::EtcdOptions options;
  options.endpoints = cluster->endpoints();
  const auto store = realmode::EtcdStore::open(&loop, &loop, options).value();
  Writer writer(&loop, store.get(), static_cast<int>(state.range(0)));
  for (auto _ : state) writer.write(kPutsPerIteration);
  count(state);
}

/// Plain calls, each begun by the end of another.
template <typename Request, typename Response>
class PlainWriter {
 public:
  PlainWriter(const std::string& target, int in_flight)
      : stub_(etcdserverpb::KV::NewStub(
            grpc::CreateChannel(target, grpc::InsecureChannelCredentials()))),
        calls_(static_cast<size_t>(in_flight)) {}
  void write(int count) {
    left_ = count;
    running_ = static_cast<int>(calls_.size());
    for (Call& call : calls_) begin(call);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return running_ == 0; });
    for (Call& call : calls_) call.context = nullptr;
  }

 private:
  struct Call {
    std::unique_ptr<grpc::ClientContext> context;
    Request request;
    Response response;
  };
  void begin(Call& call) {
    {
      const std::lock_guard lock(mutex_);
      if (left_ == 0) {
        if (--running_ == 0) done_.notify_one();
        return;
      }
      --left_;
      fill(key_of(next_++), &call.request);
    }
    call.context = std::make_unique<grpc::ClientContext>();
    start(call, [this, &call](const grpc::Status& status) {
      CHECK(status.ok()) << status.error_message();
      begin(call);
    });
  }
  static void fill(const std::string& key, etcdserverpb::PutRequest* request) {
    request->set_key(key);
    request->set_value(std::string(kValueBytes, 'v'));
  }
  static void fill(const std::string& key, etcdserverpb::TxnRequest* request) {
    request->Clear();
    auto* compare = request->add_compare();
    compare->set_key(key);
    compare->set_target(etcdserverpb::Compare::MOD);
    compare->set_mod_revision(0);
    fill(key, request->add_success()->mutable_request_put());
    request->add_failure()->mutable_request_range()->set_key(key);
  }
  void start(Call& call, std::function<void(const grpc::Status&)> done) {
    if constexpr (std::is_same_v<Request, etcdserverpb::PutRequest>)
      stub_->async()->Put(call.context.get(), &call.request, &call.response, std::move(done));
    else
      stub_->async()->Txn(call.context.get(), &call.request, &call.response, std::move(done));
  }

  std::unique_ptr<etcdserverpb::KV::Stub> stub_;
  std::vector<Call> calls_;
  std::mutex mutex_;
  std::condition_variable done_;
  int64_t next_ = 0;
  int left_ = 0;
  int running_ = 0;
};

template <typename Request, typename Response>
void plain(benchmark::State& state) {
  const auto cluster = make_cluster(state);
  if (!cluster) return;
  PlainWriter<Request, Response> writer(str_cat("127.0.0.1:", cluster->port(0)),
                                        static_cast<int>(state.range(0)));
  for (auto _ : state) writer.write(kPutsPerIteration);
  count(state);
}
void store_put_etcd_baseline(benchmark::State& state) {
  plain<etcdserverpb::PutRequest, etcdserverpb::PutResponse>(state);
}
void store_put_etcd_txn_baseline(benchmark::State& state) {
  plain<etcdserverpb::TxnRequest, etcdserverpb::TxnResponse>(state);
}

void in_flights(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(1)->Arg(8)->Arg(64)->Iterations(5)->UseRealTime()->MeasureProcessCPUTime()->Unit(
      benchmark::kMillisecond);
}
BENCHMARK(store_put_sqlite)->Apply(in_flights);
BENCHMARK(store_put_etcd)->Apply(in_flights);
BENCHMARK(store_put_etcd_baseline)->Apply(in_flights);
BENCHMARK(store_put_etcd_txn_baseline)->Apply(in_flights);

}  // namespace
}  // namespace orrery
