#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/api/shared_parts.h"
#include "engine/base/slab.h"
#include "engine/ports/component.h"
#include "engine/ports/store.h"
#include "engine/server/admission/chain.h"
#include "engine/server/custom/conversion.h"
#include "engine/server/custom/custom_kinds.h"
#include "engine/server/managed_fields/managed_fields.h"
#include "engine/server/metrics/store_times.h"
#include "engine/server/service_allocation.h"
#include "engine/server/service_range_book.h"
#include "engine/server/watch_cache.h"

namespace orrery::server {

/// The Kubernetes API: semantics of objects over a Store. A component on its own lane; requests,
/// the store's outcomes and its watch come as events. A request in flight is plain data.
///
/// Objects in the store and in the caches have no TypeMeta: their kind is that of their type. A
/// resource served in several versions is stored in one of them (storage_kind).
class Server final : public Component, public Api, public ObjectLister {
 public:
  struct Options {
    Duration latency;  // from a call to the start of its handling, in virtual time
    /// Clients from outside may call: namespaces must exist, managers of fields are tracked,
    /// admission plugins run, watches may begin in the past. Off, only components of this process
    /// call, which need none of it.
    bool serves_clients = false;
    /// Others write to the store too: what the caches hold may be behind, and a request that asks for
    /// the newest state waits until they have all that had been written when it came.
    bool shares_store = false;
    ServiceRanges services;  // used with serves_clients
  };

  /// `env.api` is not used. start() must be called before the world runs.
  Server(const Env& env, Store* store, Options options);
  std::unique_ptr<Component> clone(const Env& env) const override;
  std::unique_ptr<Server> fork(const Env& env, Store* store) const;
  LaneId lane() const override { return lane_; }
  void handle(const Ctx& ctx, const Event& event) override;

  // Api
  void call(Ticket ticket, ApiRequest request) override;
  ApiResponse take(uint64_t handle) override { return responses_.take(handle); }
  WatchId watch(LaneId lane, const WatchSpec& spec) override;
  void drain(WatchId watch, std::vector<WatchEvent>& out) override;
  void unwatch(WatchId watch) override;
  /// Nothing up to this revision will be told to the watch any more; 0: it has yet to be told of what
  /// there was when it began.
  int64_t told(WatchId watch) const;
  /// A watch that begins with nothing older than what had been written when it was asked for.
  WatchId watch_newest(LaneId lane, const WatchSpec& spec);
  std::vector<const api::KindDesc*> served_kinds() const override;
  api::Object cached(const api::KindDesc& kind, const Str& ns, const Str& name) const override;

  struct Counters {
    uint64_t requests = 0;
    uint64_t writes = 0;     // transactions that changed the store
    uint64_t conflicts = 0;  // transactions that had to be tried again
  };
  const Counters& counters() const { return counters_; }
  const StoreTimes& store_times() const { return store_times_; }
  const WatchCache& cache(const api::KindDesc& kind) const { return caches_[kind.id]; }
  /// Of the newest change that the caches hold.
  int64_t revision() const { return revision_; }
  bool ready() const { return ready_; }
  /// The kind of a served resource, nullptr if there is none.
  const api::KindDesc* find_resource(std::string_view group, std::string_view version, std::string_view plural) const;
  const CustomKinds& custom_kinds() const { return custom_; }
  /// What the objects in the caches have in common.
  const api::SharedParts& parts() const { return parts_; }

  /// Asks the store whether it is there; the answer is an ApiResponse with its status.
  void probe(Ticket ticket);

  // ObjectReader: the newest known state. (The Api has find_kind too.)
  api::Object find(const api::KindDesc& kind, std::string_view ns, std::string_view name) const override;
  std::vector<api::Object> list(const api::KindDesc& kind, std::string_view ns) const override;
  const api::KindDesc* find_kind(std::string_view api_version, std::string_view kind) const override;

  /// Hears of every change, in the order of the store; `old` or `fresh` may be null.
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void on_change(const api::KindDesc& kind, const api::Object& old, const api::Object& fresh) = 0;
  };
  /// What admission needs, and who hears of changes; outlives the server. Before it runs.
  void set_admission(const AdmissionChain* chain, const Authorizer* authorizer, HttpClient* http) {
    admission_ = chain;
    authorizer_ = authorizer;
    http_ = http;
  }
  void set_observer(Observer* observer) { observer_ = observer; }
  /// The store key of an object: prefix, namespace, name.
  static Str store_key(const api::KindDesc& kind, std::string_view ns, std::string_view name);

 private:
  // Event::arg of the kUser events of the server's own lane.
  static constexpr uint32_t kBegin = 1;       // a = request
  static constexpr uint32_t kBeginWatch = 2;  // a = watch
  static constexpr uint32_t kCheckWaits = 3;
  static constexpr uint32_t kReadStore = 4;
  // Ops of store calls: requests use their handles, which are none of these.
  static constexpr uint64_t kInitialRange = 0;
  static constexpr uint64_t kRevisionQuestion = UINT64_MAX;
  static constexpr uint64_t kProbe = UINT64_MAX - 1;
  /// Changes of each kind that a watch may reach back to.
  static constexpr size_t kHistoryMax = 10'000;

  struct Plan;
  /// Where a request goes on when a conversion has been made.
  enum class Then : uint8_t { kNothing, kExecute, kSubmit, kFinish, kFeed };
  /// What only requests of clients from outside need.
  struct Outside {
    std::vector<HttpCallOutcome> answers;  // of the calls that admission has made
    std::vector<Str> call_uids;            // of the reviews that those calls carried
    size_t next_answer = 0;
    int64_t asked_revision = 0;            // of the object that they are about
    RngStream names;                       // what this request draws
    uint64_t seed = 0;                     // of `names`, one for each attempt
    int seeded_attempts = -1;
    Time began;                            // the attempt: what webhooks are shown and what is written has one time
    Conversions conversions;               // of custom resources
    Then after_conversion = Then::kNothing;
    Str review_uid;
    Map<Str> audit_annotations;
    std::shared_ptr<Plan> plan;            // waits for the conversion of its object
    uint64_t collection = 0;               // the deletecollection that this delete is part of
    bool passed_on = false;                // the next of its deletes has begun, or must not
    size_t deletes_begun = 0;              // of a deletecollection
    size_t deletes_answered = 0;
    // Where others write to the store (consistency.cc):
    int64_t awaited = 0;                   // the revision that it waits for
    Time waits_until;
    uint64_t begins_watch = 0;             // a watch is what waits
    Time asked;                            // when the store was
    bool unchanged = false;                // since the revision that it was asked for
    Str stored;                            // what it is to keep of InFlight::written, as bytes
  };
  /// A request from its arrival to its answer. A simulation may have one for every pod at once.
  struct InFlight {
    Ticket ticket;
    ApiRequest request;
    int attempts = 0;        // that failed because the object itself has changed
    int other_attempts = 0;  // because of something that is written with it
    int64_t expected_revision = 0;
    Str key;                  // of the transaction under way
    api::Object written;      // what it writes or deletes, unless the store gives that back
    Ref<ApiResponse> answer;  // what is known of it before it can be given
    bool created = false;     // of the answer
    bool ranges = false;      // the store has been asked for a list, not for a transaction
    bool erases = false;      // the transaction under way deletes the key
    bool again = false;       // it is not the last
    bool spares_object = false;  // it does not write the object
    bool proceeds = false;    // one that was not the last has succeeded
    bool calling = false;     // the ticket is that of a call to a webhook
    bool newest = false;      // the caches have had all that was written before the request
    bool goes_on = false;     // once they have caught up there is more to do than to answer
    Str uid;                  // of the object that a create makes
    Ref<Outside> outside;
  };
  struct Watch {
    LaneId lane;
    const api::KindDesc* kind = nullptr;
    std::vector<WatchEvent> pending;
    bool ended = false;
  };
  /// Events of a custom resource on their way to the watches of one version, for which a webhook has
  /// to convert them; with all that these watches are told after them.
  struct Feed {
    std::deque<std::pair<uint64_t, WatchEvent>> waiting;
    uint64_t flight = 0;  // asks the webhook; its request's kind is the version
  };
  /// What a mutation decides: answer at once, or write `object` (null: delete the key) and then
  /// answer with it.
  struct Plan {
    ApiResponse response;
    bool write = false;
    bool again = false;  // when it is written, decide again
    bool spares_object = false;  // only `more` is written, and the answer stays as it is
    bool charges_first = false;  // `more` is written first, in a transaction of its own
    api::Object object;
    std::vector<StoreOp> more;  // further writes in the same transaction
    std::vector<StoreCompare> compares;
    std::unique_ptr<HttpCall> call;  // to be made before anything can be decided
  };

  void begin(uint64_t id, Time now);
  void carry_out(uint64_t id, Time now);
  void execute(uint64_t id, Time now);
  void finish(uint64_t id, ApiResponse response);
  void submit(uint64_t id, Plan plan, int64_t expected_revision);
  static void forget_answers(InFlight& flight);
  void on_lost(uint64_t id, const StoreOutcome& outcome, Time now);
  bool learn(InFlight& flight, const TxnResponse& txn);
  void on_store_done(uint64_t id, StoreOutcome outcome, Time now);
  void on_call_done(uint64_t id, HttpCallOutcome outcome, Time now);
  /// True: a webhook has been asked for what the request's conversions miss.
  bool ask_conversion(uint64_t id, Then then);
  void on_conversion(uint64_t id, const HttpCallOutcome& outcome, Time now);
  bool convert_answer(uint64_t id, ApiResponse& response);
  void deliver_custom(uint64_t id, const Watch& watch, WatchEvent event);
  void pass_on(const Str& feed_name);
  void end_feed(const Str& feed_name, const Status& why);
  void on_probed(const StoreOutcome& outcome);
  void on_store_watch();
  void on_initial_range(const StoreOutcome& outcome);
  void drop_missing(const StoreOutcome& outcome);
  /// What the store says of a key: published, or remembered as unreadable.
  void take_in(const api::KindDesc& kind, const KeyValue& kv);
  /// What a request under way has written, if that is the value; otherwise null.
  api::Object own_write(const KeyValue& kv) const;
  void forget_own_write(uint64_t id);
  /// Why the stored value of a key, or of any key of a list, cannot be read; OK if nothing is wrong.
  ApiResponse readable(const Str& key) const;
  ApiResponse all_readable(std::string_view prefix) const;
  void share_parts(api::Object& object);
  void publish(const api::KindDesc& kind, const Str& key, const api::Object& object, int64_t revision);
  const api::KindDesc* kind_of_key(std::string_view key) const;
  void on_definition(const api::Object& old, const api::Object& fresh);
  void tend_definition(const Str& name);
  /// One of a group has gone: others may want its names.
  void tend_definitions_of(const Str& group);
  void clean_up(const apiextensionsv1::CustomResourceDefinition& definition, Time now);
  void deliver(uint64_t id, WatchEvent event);
  void hand_over(uint64_t id, WatchEvent event);
  void hand_over(uint64_t id, Watch& watch, WatchEvent event);
  void begin_watch(uint64_t id);
  void begin_ownership_watch(uint64_t id);
  void tell_of_ownership(const api::KindDesc& kind, const api::Object& before, const api::Object& after);
  void delete_collection(uint64_t id);

  void get(uint64_t id);
  void list(uint64_t id);
  ApiResponse list_page(const ApiRequest& request, const Selection& selection, std::string_view from,
                        int64_t revision) const;
  void read_past(uint64_t id, std::string_view from, int64_t revision);
  void on_old_list(uint64_t id, const StoreOutcome& outcome);
  void finish_at(uint64_t id, int64_t revision, ApiResponse response);
  void finish_waiting();
  bool asks_newest(const InFlight& flight) const;
  void ask_revision(uint64_t id);
  void send_question();
  void on_revision(const StoreOutcome& outcome);
  bool waits_for(uint64_t id, int64_t revision);
  void await(uint64_t id, int64_t revision, bool goes_on);
  void go_on(uint64_t id);
  void give_up_waiting(Time now);
  void refuse(uint64_t id, ApiResponse response);
  void read_store();
  void watch_store(int64_t from);
  void end_watches();
  void begin_next_delete(uint64_t collection);
  void on_collected(uint64_t collection, bool passed_on, ApiResponse response);
  void execute_absent(uint64_t id, Time now);
  Plan plan_create(InFlight& flight, Time now);
  void complete_create(InFlight& flight, api::Object fresh, Plan& plan, Time now);
  /// What a create of a name that is taken is answered; the warnings stay.
  void refuse_as_taken(const api::KindDesc& kind, std::string_view ns, std::string_view name, ApiResponse& response) const;
  FieldErrors allocate(api::Object& fresh, const api::Object& old, InFlight& flight);
  TakenByServices taken_by_services() const;
  void book_service(const Str& key, Plan& plan) const;
  Plan plan_change(InFlight& flight, const api::Object& old, Time now);
  Plan plan_update(InFlight& flight, const api::Object& old, api::Object fresh, Time now);
  void complete_update(InFlight& flight, const api::Object& old, api::Object fresh, Plan& plan, Time now);
  Plan plan_patch(InFlight& flight, const api::Object& old, Time now);
  Plan plan_apply(InFlight& flight, const api::Object& old, Time now);
  Plan plan_apply_scale(InFlight& flight, const api::Object& old, const api::Json& config, Time now);
  Plan plan_scale(InFlight& flight, const api::Object& old, Time now);
  Plan plan_delete(InFlight& flight, const api::Object& old, Time now);
  Plan decide_delete(const ApiRequest& request, const api::Object& old, Plan plan, Time now) const;
  static ApiResponse check_binding(const ApiRequest& request);
  Plan plan_binding(const ApiRequest& request, const api::Object& old, Time now) const;
  Plan plan_pod_request(InFlight& flight, const api::Object& old, Time now);
  Plan plan_eviction(InFlight& flight, const api::Object& old, Time now);
  std::vector<api::Object> budgets_of(const api::Object& pod) const;
  void charge_budget(const api::Object& budget, const Str& pod, Time now, Plan& plan) const;
  void complete_apply(InFlight& flight, const api::Object& old, api::Object fresh, Plan& plan, Time now);
  static ApiResponse check_version(const ApiRequest& request, const metav1::ObjectMeta& sent, const metav1::ObjectMeta& old);
  static ApiResponse check_scale(const ApiRequest& request, const api::Object& old);
  /// What the store answers who asks for another object than is there.
  static ApiResponse refuse_precondition(const ApiRequest& request, std::string_view why);
  static ApiResponse check_sent(const ApiRequest& request, const metav1::ObjectMeta& sent, const metav1::ObjectMeta& old);
  Result<api::Json> patched_document(const ApiRequest& request, const api::TypeDesc& type, const api::Json& document,
                                     const api::Json& patch, ApiResponse& failure) const;
  Result<api::Object> patched_object(const ApiRequest& request, const api::Object& current, ApiResponse& failure,
                                     std::vector<std::string>& strict) const;
  AdmissionRequest admission_request(const ApiRequest& request, AdmissionRequest::Operation operation, api::Object object,
                                     const api::Object& old) const;
  /// False: the plan's response says why, or a call has to be made first.
  bool admit(InFlight& flight, AdmissionRequest& request, bool mutating, Plan& plan, Time now);
  void track_managers(InFlight& flight, const api::Object& old, api::Object& fresh, Time now) const;
  managed::FieldWrite field_write(InFlight& flight, Time now) const;
  Str generated_name(const Str& prefix, RngStream& names);

  CustomKinds custom_;  // first: their objects go before them
  Lanes* lanes_;
  Timers* timers_;
  Store* store_;
  Options options_;
  LaneId lane_;
  RngStream uids_;
  RngStream names_;
  bool ready_ = false;
  StoreWatchId store_watch_;
  const AdmissionChain* admission_ = nullptr;
  const Authorizer* authorizer_ = nullptr;
  HttpClient* http_ = nullptr;
  Observer* observer_ = nullptr;
  std::deque<WatchCache> caches_;  // by kind id; those of custom resources follow
  List<corev1::Toleration> tolerations_;  // of pods that come without any
  Slab<InFlight> flights_;
  std::unordered_map<Str, uint64_t> own_writes_;  // store key -> request that writes it as bytes
  Slab<ApiResponse> responses_;
  std::map<uint64_t, Watch> watches_;
  std::map<Str, Feed> feeds_;  // by api version and plural
  std::map<uint64_t, WatchSpec> unborn_watches_;  // asked for before the server was ready
  std::vector<uint64_t> early_;                   // requests before the server was ready
  uint64_t next_watch_ = 1;
  std::vector<uint64_t> ownership_;         // watches of it that have begun
  std::vector<uint64_t> await_deletion_;  // those that begin with the first deletion
  int64_t revision_ = 0;
  std::map<Str, Str> unreadable_;  // store key -> why
  std::multimap<int64_t, uint64_t> waiting_;  // revision -> request whose answer waits for it
  std::vector<uint64_t> asking_;              // requests whose question for the revision is under way
  std::vector<uint64_t> will_ask_;            // those that came since
  bool watching_waits_ = false;               // a timer looks after waiting_
  bool may_watch_all_ = true;                 // the store lets this server see foreign keys
  Counters counters_;
  ServiceRangeBook services_;
  api::SharedParts parts_;
  std::vector<Ticket> probes_;  // those that the store has been asked for
  StoreTimes store_times_;  // with serves_clients
};

/// A random UUID.
Str random_uid(RngStream& rng);

/// True if a PUT of the kind must carry a resourceVersion.
bool put_needs_version(const api::KindDesc& kind);

/// A namespace that still has finalizers of its own.
bool holds_namespace(const api::Object& object);

/// Whoever deletes jobs without a policy is told that their pods stay, whatever becomes of the request.
void warn_of_orphans(const ApiRequest& request, ApiResponse& response);

ApiResponse response_of(const Refusal& refusal);
ApiResponse not_found_response(const ApiRequest& request);
/// What a resourceVersion that is no number is answered.
ApiResponse invalid_version(std::string_view text);
/// What a version that the server does not have yet is answered.
ApiResponse too_large_version(int64_t asked, int64_t current);

}  // namespace orrery::server
