#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/ports/http.h"

namespace orrery::realmode {

/// What passes between the two sides of a tunnel that do not speak the same: a pure function of the
/// bytes that came so far.
class Relay {
 public:
  /// What is to be sent. `over`: nothing more passes, once that has been sent.
  struct Out {
    std::string to_client, to_server;
    bool over = false;
  };
  virtual ~Relay() = default;
  /// The other server has switched protocols.
  virtual void begin(Out& out) = 0;
  virtual void from_client(std::string_view bytes, Out& out) = 0;
  virtual void from_server(std::string_view bytes, Out& out) = 0;
  /// The server sends no more.
  virtual void server_ended(Out& out) = 0;
};

/// For the kinds of tunnel; nullptr for those through which bytes pass as they are.
std::unique_ptr<Relay> make_relay(const HttpForward& forward);

}  // namespace orrery::realmode
