#pragma once

#include <string>

#include "engine/base/status.h"

namespace orrery::realmode {

/// The whole file. Invalid, with path and reason, if it cannot be read.
Result<std::string> read_file(const std::string& path);
/// The whole file, "" if there is none.
Result<std::string> read_file_if_any(const std::string& path);
/// Replaces the file in one step and makes it durable: after a crash there is the old content or
/// the new. `secret`: readable by its owner only (mode 0600), else by all (0644).
Status write_file(const std::string& path, const std::string& content, bool secret);
/// Makes the folder and its parents; a new one is its owner's only (0700).
Status make_folder(const std::string& path);

}  // namespace orrery::realmode
