#pragma once

#include <optional>

namespace CLI {
class App;
}

namespace orrery::realmode {

/// Adds the commands that act on the world to the command line: `apiserver`, `up`.
void add_commands(CLI::App& app);
/// Runs the command that has been parsed; its exit code, nullopt if none of these commands was
/// given.
std::optional<int> run_command(const CLI::App& app);

}  // namespace orrery::realmode
