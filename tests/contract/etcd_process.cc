#include "tests/contract/etcd_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "engine/base/check.h"
#include "engine/base/str.h"

namespace orrery::contract {
namespace {

constexpr const char* kProgram = "/usr/bin/etcd";

std::string data_parent(const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  return std::filesystem::is_directory("/dev/shm")
             ? "/dev/shm"
             : std::filesystem::temp_directory_path().string();
}

/// A port that nobody listens on now.
int free_port() {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  CHECK(bind(socket_fd, reinterpret_cast<sockaddr*>(&address), size) == 0) << "bind";
  CHECK(getsockname(socket_fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) << "getsockname";
  close(socket_fd);
  return ntohs(address.sin_port);
}

/// The output of a shell command, and whether it succeeded.
std::pair<std::string, bool> shell(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  CHECK(pipe) << command;
  std::array<char, 4096> buffer;
  while (const size_t size = fread(buffer.data(), 1, buffer.size(), pipe))
    output.append(buffer.data(), size);
  return {output, pclose(pipe) == 0};
}

}  // namespace

const char* EtcdCluster::program() {
  if (access(kProgram, X_OK) == 0) return kProgram;
  std::fprintf(stderr, "skipped: %s is not installed (Debian: etcd-server)\n", kProgram);
  return nullptr;
}

EtcdCluster::EtcdCluster(Options options)
    : options_(std::move(options)), folder_(data_parent(options_.parent)) {
  if (options_.tls) make_certificates();
  for (int i = 0; i < options_.members; ++i) members_.push_back({0, free_port(), free_port()});
  for (int i = 0; i < options_.members; ++i) start(i);
  for (int i = 0; i < options_.members; ++i) wait_for(i);
}

EtcdCluster::~EtcdCluster() {
  for (int i = 0; i < members(); ++i) kill(i);
}

std::string EtcdCluster::endpoint(int member) const {
  return str_cat(options_.tls ? "https" : "http", "://127.0.0.1:", port(member));
}

std::vector<std::string> EtcdCluster::endpoints() const {
  std::vector<std::string> all;
  for (int i = 0; i < members(); ++i) all.push_back(endpoint(i));
  return all;
}

void EtcdCluster::start(int member) {
  Process& process = members_[static_cast<size_t>(member)];
  const auto peer = [this](int i) {
    return str_cat("http://127.0.0.1:", members_[static_cast<size_t>(i)].peer_port);
  };
  std::string cluster;
  for (int i = 0; i < members(); ++i)
    str_append(cluster, str_cat(i ? "," : "", "m", i, "=", peer(i)));
  std::vector<std::string> words = {kProgram,
                                    "--name",
                                    str_cat("m", member),
                                    "--data-dir",
                                    file(str_cat("m", member)),
                                    "--listen-client-urls",
                                    endpoint(member),
                                    "--advertise-client-urls",
                                    endpoint(member),
                                    "--listen-peer-urls",
                                    peer(member),
                                    "--initial-advertise-peer-urls",
                                    peer(member),
                                    "--initial-cluster",
                                    cluster,
                                    "--heartbeat-interval",
                                    "50",
                                    "--election-timeout",
                                    "500",
                                    "--logger",
                                    "zap",
                                    "--log-level",
                                    "error"};
  if (options_.tls) {
    for (const auto& [flag, name] :
         {std::pair("--cert-file", "server.crt"), std::pair("--key-file", "server.key"),
          std::pair("--trusted-ca-file", "ca.crt")})
      words.insert(words.end(), {flag, file(name)});
    words.push_back("--client-cert-auth");
  }
  words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string log = file(str_cat("m", member, ".log"));
  process.pid = fork();
  CHECK(process.pid >= 0) << "fork";
  if (process.pid > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  execv(kProgram, arguments.data());
  _exit(127);
}

std::string EtcdCluster::control_command(int member) const {
  std::string command = str_cat("ETCDCTL_API=3 etcdctl --endpoints=", endpoint(member));
  if (options_.tls)
    str_append(command, str_cat(" --cacert=", file("ca.crt"), " --cert=", file("client.crt"),
                                " --key=", file("client.key")));
  return command;
}

bool EtcdCluster::answers(int member) const {
  return shell(str_cat(control_command(member),
                       " --command-timeout=1s endpoint status >/dev/null 2>&1"))
      .second;
}

void EtcdCluster::wait_for(int member) const {
  constexpr int kTriesMax = 300;
  for (int i = 0; i < kTriesMax; ++i) {
    if (answers(member)) return;
    usleep(50'000);
  }
  CHECK(false) << "etcd does not start: "
               << shell("cat " + file(str_cat("m", member, ".log"))).first;
}

int EtcdCluster::leader() const {
  for (int i = 0; i < members(); ++i) {
    const auto [line, fine] =
        shell(str_cat(control_command(i), " --command-timeout=1s endpoint status 2>/dev/null"));
    // endpoint, id, version, size, leader, ...
    if (fine && line.find(", true, ") != std::string::npos) return i;
  }
  return -1;
}

void EtcdCluster::kill(int member) {
  Process& process = members_[static_cast<size_t>(member)];
  if (process.pid <= 0) return;
  ::kill(process.pid, SIGKILL);
  waitpid(process.pid, nullptr, 0);
  process.pid = 0;
}

void EtcdCluster::pause(int member) { ::kill(members_[static_cast<size_t>(member)].pid, SIGSTOP); }
void EtcdCluster::resume(int member) { ::kill(members_[static_cast<size_t>(member)].pid, SIGCONT); }

void EtcdCluster::restart(int member) {
  start(member);
  wait_for(member);
}

std::string EtcdCluster::control(const std::string& arguments) const {
  const auto [output, fine] = shell(str_cat(control_command(0), " ", arguments, " 2>&1"));
  CHECK(fine) << arguments << ": " << output;
  return output;
}

void EtcdCluster::make_certificates() {
  const std::string f = folder_.path();
  const auto [output, fine] = shell(
      str_cat("cd ", f,
              " && exec 2>&1 && "
              "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout ca.key "
              "-out ca.crt && "
              "for n in server client; do "
              "openssl req -newkey rsa:2048 -nodes -subj /CN=$n -keyout $n.key -out $n.csr && "
              "printf "
              "'subjectAltName=IP:127.0.0.1,DNS:localhost\\nextendedKeyUsage=serverAuth,"
              "clientAuth\\n' >$n.ext && "
              "openssl x509 -req -days 2 -in $n.csr -CA ca.crt -CAkey ca.key -CAcreateserial "
              "-extfile $n.ext -out $n.crt; "
              "done"));
  CHECK(fine) << output;
}

}  // namespace orrery::contract
