#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/websocket.h"
#include "engine/ports/component.h"
#include "engine/ports/container_logs.h"
#include "engine/ports/http.h"
#include "engine/ports/process_stats.h"
#include "engine/ports/usage_source.h"
#include "engine/server/audit/audit_log.h"
#include "engine/server/auth/authenticator.h"
#include "engine/server/auth/authorizer.h"
#include "engine/server/connect/kubelet_address.h"
#include "engine/server/connect/log_text.h"
#include "engine/server/connect/proxy_location.h"
#include "engine/server/discovery/served_resources.h"
#include "engine/server/flow/flow_control.h"
#include "engine/server/flow/retry_after.h"
#include "engine/server/openapi/documents.h"
#include "engine/server/options.h"
#include "engine/server/rest/encode.h"
#include "engine/server/rest/event_texts.h"
#include "engine/server/rest/request_counts.h"
#include "engine/server/rest/request_info.h"
#include "engine/server/server.h"

namespace orrery::server {

/// The API over HTTP: reads requests, finds out who asks and whether they may, turns paths, queries
/// and bodies into typed requests to the Server and answers into JSON, YAML, protobuf or tables.
/// A component on its own lane; it must share its worker with the Server's lane.
class Rest final : public Component, private Server::Observer {
 public:
  /// What it stands on; all of it outlives it. `signer` may be null: no service account tokens.
  struct Parts {
    Server* server = nullptr;
    HttpTransport* transport = nullptr;
    const TokenSigner* signer = nullptr;
    HttpClient* http = nullptr;  // for webhooks; may be null
    const AuditLog* audit = nullptr;  // null: nothing is written down
    const ContainerLogs* logs = nullptr;  // instead of kubelets, for pods/log
    const UsageSource* usage = nullptr;   // null: metrics.k8s.io is not served
    const ProcessStats* process = nullptr;  // for /metrics
    bool with_components = false;  // scheduler and controllers run in this process
  };
  /// `env.api` is not used. Makes what an API server makes at its start; then takes requests and
  /// posts kDone to `ready`.
  Rest(const Env& env, const Parts& parts, ServerOptions options, Ticket ready);
  std::unique_ptr<Component> clone(const Env& env) const override;
  LaneId lane() const override { return lane_; }
  void handle(const Ctx& ctx, const Event& event) override;

 private:
  /// A request that another server answers.
  struct Connect {
    HttpRequest http;  // until it is forwarded
    std::string url;   // of the other server
    bool upgrades = false;
    bool forwarded = false;  // and not over
  };
  /// A log that is followed: of one run of a container.
  struct FollowedLog {
    LogText text;
    std::string container;
    int32_t restarts = 0;
  };
  /// How components are, as far as it is known.
  struct Components {
    std::vector<corev1::ComponentStatus> statuses;  // without conditions: it has not answered
    size_t awaited = 0;
    TimerId store_patience;
  };
  /// What a node's proxy leads to.
  enum class ProxiedNode : uint8_t { kNone, kKubelet, kOther };
  /// One request until its answer has gone.
  struct Exchange {
    RequestInfo info;
    Query query;
    Time begun;
    std::string accept;             // the header
    Str audit_id;                   // of the client, or drawn; the answer tells it
    bool pretty = false;            // JSON is indented
    bool is_forbidden = false;      // authorization has refused it
    Representation representation;  // of an answer that is no failure
    const api::KindDesc* kind = nullptr;
    Ref<ApiUser> user;
    ApiVerb verb = ApiVerb::kGet;
    bool orphan_asked_false = false;  // a delete with orphanDependents=false: 202 while it lasts
    std::vector<Str> warnings;
    int retry_after_seconds = 0;
    std::unique_ptr<AuditEntry> audit;  // only if there is an audit log
    FlowControl::Ticket seat;
    std::unique_ptr<HttpRequest> waiting;  // until there is a seat for it
    int* inflight = nullptr;               // where it is counted, without priority and fairness
    std::unique_ptr<Connect> connect;
    bool health = false;  // waits for the store to answer
    std::unique_ptr<Components> components;
    std::unique_ptr<FollowedLog> log;
    // A watch.
    WatchId watch;
    bool streaming = false;
    bool initial_events = false;  // sendInitialEvents: their end is marked
    bool bookmarks = false;
    bool table_begun = false;
    int64_t revision_seen = 0;
    TimerId deadline, bookmark_timer;
    Time ends;
    /// A watch over WebSocket: every event is a message.
    struct Messages {
      std::string subprotocol;
      WebSocketReader reader;
    };
    std::unique_ptr<Messages> messages;
  };

  void on_request(uint64_t id, Time now);
  void on_answer(uint64_t id, ApiResponse response, Time now);
  void on_timer(uint64_t id, uint32_t what, Time now);
  void forget(uint64_t id);

  /// True: there is a seat. False: the request waits, or has been refused and answered.
  bool find_seat(uint64_t id, Exchange& exchange, HttpRequest& http, Time now);
  bool find_place(uint64_t id, Exchange& exchange);
  int seats_of(const Exchange& exchange) const;
  void free_seat(Exchange& exchange, Time now);
  void serve_waiting(Time now);
  void refuse_impatient(Time now);
  void refuse_busy(uint64_t id);
  void serve(uint64_t id, Exchange& exchange, HttpRequest& http, Time now);
  /// False: the query's timeout is nonsense, which has been answered.
  bool limit_time(uint64_t id, Exchange& exchange, Time now);
  /// One request, or with id 0 all those that have had their time.
  void end_overdue(uint64_t id, Time now);
  /// What every answer tells of how its request was handled.
  void add_own_headers(const Exchange& exchange, HttpHeaders& headers) const;

  void on_change(const api::KindDesc& kind, const api::Object& old, const api::Object& fresh) override;
  void begin();
  void tend_flow_schemas(const api::Object& changed);
  void end_watches_of_gone_kinds();
  void create_all(std::vector<api::Object> objects);
  void on_bootstrapped(const ApiResponse& response);
  /// False: the request has been refused and answered.
  void begin_audit(Exchange& exchange, const HttpRequest& http, const ApiUser& user, Time now);
  void audit_request(Exchange& exchange, const ApiRequest& request);
  void audit_answer(Exchange& exchange, const ApiResponse& response, Time now);
  void audit(Exchange& exchange, AuditStage stage, int code);
  /// The last that is heard of an exchange: it has been answered with `code`.
  void finished(Exchange& exchange, int code);
  bool identify(uint64_t id, Exchange& exchange, const HttpRequest& http, Time now);
  bool authorized(uint64_t id, Exchange& exchange);
  bool is_review(const Exchange& exchange) const;
  void serve_review(uint64_t id, Exchange& exchange, ApiRequest& request, Time now);
  void serve_path(uint64_t id, Exchange& exchange, const HttpRequest& http, Time now);
  static bool is_health(std::string_view path);
  static std::vector<std::string> health_paths();
  void serve_health(uint64_t id, Exchange& exchange, Time now);
  void answer_health(uint64_t id, Exchange& exchange, bool store_answers);
  void serve_discovery(uint64_t id, Exchange& exchange, const HttpRequest& http);
  void serve_aggregated(uint64_t id, const Exchange& exchange, bool core, std::string_view known_tags);
  bool is_read_only(std::string_view path) const;
  void serve_root(uint64_t id);
  /// What is the same for everybody, for hours.
  void serve_public(uint64_t id, std::string_view method, std::string_view type, std::string body);
  void serve_metrics(uint64_t id);
  std::string storage_metrics() const;
  std::string inflight_metrics() const;
  std::string watch_metrics() const;
  void count_event(const api::KindDesc& kind);
  std::string process_metrics() const;
  void serve_openapi(uint64_t id, Exchange& exchange, const HttpRequest& http);
  /// A version that is to go is asked for: the client is warned, and it is counted and audited.
  void note_deprecated(Exchange& exchange, Str warning);
  void serve_components(uint64_t id, Exchange& exchange, Time now);
  void ask_component(uint64_t id, const std::string& name, Time now);
  void on_component(uint64_t op, uint64_t handle, Time now);
  void give_up_store(uint64_t id, Time now);
  void tell_component(uint64_t id, std::string_view name, corev1::ComponentCondition condition, Time now);
  void answer_components(uint64_t id, const Exchange& exchange, Time now);
  void serve_swagger(uint64_t id, const HttpRequest& http);
  void build_swagger();
  void answer_swagger_readers();
  void serve_resource(uint64_t id, Exchange& exchange, HttpRequest& http, Time now);
  static bool is_connect(const RequestInfo& info);
  void serve_connect(uint64_t id, Exchange& exchange, HttpRequest& http);
  void on_connect_target(uint64_t id, Exchange& exchange, const ApiResponse& response, Time now);
  Result<KubeletAddress> kubelet_of(const Str& node_name) const;
  void fail_kubelet(uint64_t id, const Str& node_name, const Status& status);
  void connect_log(uint64_t id, Exchange& exchange, const api::Object& object, Time now);
  void serve_own_log(uint64_t id, Exchange& exchange, const api::Object& object,
                     const std::string& container, const corev1::PodLogOptions& options, Time now);
  void deliver_log(uint64_t id, Exchange& exchange);
  std::vector<api::Json> usage_of(const RequestInfo& info, const Selection& selection, Time now) const;
  void serve_usage(uint64_t id, Exchange& exchange, const HttpRequest& http, Time now);
  void connect_stream(uint64_t id, Exchange& exchange, const api::Object& object);
  void connect_proxy(uint64_t id, Exchange& exchange, const api::Object& object);
  void forward_proxy(uint64_t id, Exchange& exchange, const ProxyLocation& location,
                     ProxiedNode node = ProxiedNode::kNone);
  void forward(uint64_t id, Exchange& exchange, HttpForward to);
  void on_forwarded(uint64_t id);
  /// Not OK: it is no patch, or none that the kind knows.
  static ApiResponse unknown_patch(const HttpRequest& http, const RequestInfo& info, const api::KindDesc& kind);
  ApiResponse read_options(const Exchange& exchange, ApiRequest& request) const;
  ApiResponse read_write(Exchange& exchange, const HttpRequest& http, ApiRequest& request) const;
  ApiResponse read_patch(Exchange& exchange, const HttpRequest& http, ApiRequest& request) const;
  ApiResponse read_delete(Exchange& exchange, const HttpRequest& http, ApiRequest& request) const;
  ApiResponse read_list(const Exchange& exchange, ApiRequest& request) const;
  void begin_watch(uint64_t id, Exchange& exchange, Time now);
  void begin_watch_stream(uint64_t id, Exchange& exchange, std::string piece, Time now);
  void end_watch_stream(uint64_t id, const Exchange& exchange);
  /// Valid until the next call; `framed` keeps what goes over WebSocket.
  std::string_view watch_piece(const Exchange& exchange, const Encoding& encoding, const WatchEvent& event,
                               std::string& framed);
  void on_input(uint64_t id);
  /// Of a watch that is asked for over WebSocket; else nullptr.
  static std::unique_ptr<Exchange::Messages> messages_of(const HttpRequest& http);
  void send_bookmark(uint64_t id, Time now);
  void arm_bookmark(uint64_t id, Exchange& exchange, Time now);
  void deliver_watch(uint64_t id, Exchange& exchange, Time now);

  void respond_missing(uint64_t id);
  void respond(uint64_t id, int code, std::string_view content_type, std::string body);
  void respond_json(uint64_t id, const api::Json& json);
  /// With an entity tag; 304 without a body if the client has it already. `kept`: by whom and how
  /// long, as Cache-Control tells it.
  void respond_document(uint64_t id, std::string_view known_tags, std::string_view hash, std::string_view kept,
                        std::string_view type, const std::string& body);
  /// With no more than is given and what every answer has.
  void respond_bare(uint64_t id, HttpResponse response);
  /// Answers with one object in the form asked for, or says that it has none.
  void show(uint64_t id, int code, const api::Object& object, Time now);
  void fail(uint64_t id, const ApiResponse& response);
  void fail(uint64_t id, Status status);
  Encoding encoding_of(const Exchange& exchange, Time now) const;

  Lanes* lanes_;
  Timers* timers_;
  Server* server_;
  HttpTransport* transport_;
  HttpClient* http_;
  const AuditLog* audit_;
  const ContainerLogs* logs_;
  const UsageSource* usage_;
  const ProcessStats* process_;
  bool with_components_;
  const TokenSigner* signer_;
  ServerOptions options_;
  RngStream rng_;
  LaneId lane_;
  Ticket ready_;
  EventTexts event_texts_;
  std::vector<WatchEvent> drained_;  // empty: memory for the next events of a watch
  std::vector<api::Object> to_bootstrap_;  // not asked for yet
  size_t bootstrapping_ = 0;  // creates that have not been answered
  bool bootstrap_failed_ = false;  // one of them
  Authorizer authorizer_;
  Authenticator authenticator_;
  AdmissionChain admission_;
  ServedResources served_;
  OpenApi openapi_;
  /// Who has asked for the OpenAPI v2 document.
  struct SwaggerReader {
    uint64_t id;
    bool protobuf;
    std::string known_tags;  // If-None-Match
  };
  std::vector<SwaggerReader> swagger_readers_;
  RequestCounts counts_;
  struct SentEvents {
    std::string labels;
    uint64_t count = 0;
  };
  std::map<uint32_t, SentEvents> sent_events_;  // by kind id
  FlowControl flow_;
  RetryAfter retry_after_;
  bool serve_waiting_posted_ = false;
  TimerId patience_timer_, timeout_timer_;
  std::deque<std::pair<Time, uint64_t>> due_;  // when requests are to be answered, and perhaps were
  int reads_inflight_ = 0, writes_inflight_ = 0;
  std::unordered_map<uint64_t, Exchange> exchanges_;
  std::unordered_map<uint64_t, uint64_t> exchange_of_watch_;
};

/// What discovery says of metrics.k8s.io.
std::vector<ServedResource> usage_resources();

}  // namespace orrery::server
