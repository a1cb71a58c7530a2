#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace orrery::server {

/// The organizations (O) in the subject of a PEM certificate request (PKCS#10, RFC 2986). Only what
/// leads there is read; the signature is not checked. BadRequest if it is no request.
Result<std::vector<std::string>> csr_organizations(std::string_view pem);

}  // namespace orrery::server
