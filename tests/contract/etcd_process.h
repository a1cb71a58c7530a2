#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/contract/temporary_folder.h"

namespace orrery::contract {

/// A cluster of etcd servers on loopback. They are children of the test, killed with the test and
/// by pid.
class EtcdCluster {
 public:
  /// nullptr with a message on stderr if etcd is not installed.
  static const char* program();

  struct Options {
    int members = 1;
    std::vector<std::string> arguments = {};  // for each member
    std::string parent = "";  // of the data's folder; "": memory (/dev/shm) where there is that
    bool tls = false;         // clients by https, with certificates that it asks of them
  };
  /// Returns when every member answers.
  explicit EtcdCluster(Options options);
  ~EtcdCluster();

  int members() const { return static_cast<int>(members_.size()); }
  std::string endpoint(int member) const;
  int port(int member) const { return members_[static_cast<size_t>(member)].client_port; }
  std::vector<std::string> endpoints() const;
  /// The member that leads now.
  int leader() const;
  void kill(int member);  // kill -9
  void pause(int member);
  void resume(int member);
  /// Starts a killed member again on its data.
  void restart(int member);
  /// etcdctl against the first member; CHECKs that it succeeds; its output.
  std::string control(const std::string& arguments) const;
  std::string file(const std::string& name) const { return folder_.file(name); }

 private:
  struct Process {
    pid_t pid = 0;
    int client_port = 0;
    int peer_port = 0;
  };
  std::string control_command(int member) const;
  void make_certificates();
  void start(int member);
  bool answers(int member) const;
  void wait_for(int member) const;

  Options options_;
  TemporaryFolder folder_;
  std::vector<Process> members_;
};

}  // namespace orrery::contract
