#pragma once

#include "engine/server/auth/authenticator.h"
#include "engine/server/flow/flow_control.h"
#include "engine/server/options.h"

namespace orrery::server {

/// The part of the options that authentication reads.
AuthenticatorOptions authenticator_options(const ServerOptions& options);

FlowControl::Options flow_options(const ServerOptions& options);

inline constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

/// Op of the writes that an API server does at its start. No exchange has it.
inline constexpr uint64_t kBootstrapOp = UINT64_MAX;

/// Event::arg of the timer for those who have waited too long for a seat; watches have 1 and 2.
inline constexpr uint32_t kPatienceTimer = 3;
/// Of the timers after which a request has taken too long.
inline constexpr uint32_t kTimeoutTimer = 4;
/// Of the time that the store has to answer a health check.
inline constexpr uint32_t kHealthTimer = 5;

/// Of the time that the store has to answer for componentstatuses.
inline constexpr uint32_t kComponentTimer = 6;

/// Ops of questions to components are from here on, below kBootstrapOp.
inline constexpr uint64_t kComponentOps = uint64_t{1} << 62;

/// Event::arg of the work that is left for between requests; serving those that wait has 0.
inline constexpr uint32_t kSwaggerWork = 1;

/// The first address of an IPv4 range "A.B.C.D/N" after the network's own; "" if it is none.
std::string first_address(std::string_view cidr);

}  // namespace orrery::server
