#pragma once

#include <string>

namespace orrery::realmode {

/// Where others reach a server that listens on `bind_address`: that address, or for "0.0.0.0" and
/// "::" the first address of this machine that is not a loopback one, else "127.0.0.1".
std::string reachable_address(const std::string& bind_address);

}  // namespace orrery::realmode
