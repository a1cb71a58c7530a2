#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/api/json_value.h"

namespace orrery::test {

/// The folder of recorded vectors: $ORRERY_VECTORS, else ../shared/vectors; "" if there is none.
std::string vectors_folder();

/// The lines of a (gzip) file of one JSON object a line. Exits with code 77 (skipped) if the
/// vectors are not there, with 1 if the file is broken.
std::vector<api::Json> read_vectors(const std::string& path);

/// Runs one family: `check` answers "" for a pass, else what differs. Prints the first failures
/// and `family: passed/total`; returns the exit code (0 if at least `required` of all passed).
int run_family(const std::string& family, const std::vector<api::Json>& cases,
               const std::function<std::string(const api::Json&)>& check, double required = 1.0);

/// The main program of a vector test: argv[1] names one of `families`; without it all run.
int run_program(int argc, char** argv, const std::map<std::string, std::function<int()>>& families);

/// "" if equal, else a short text of both.
std::string expect_equal(const std::string& what, const std::string& expected,
                         const std::string& actual);
std::string expect_equal(const std::string& what, const api::Json& expected,
                         const api::Json& actual);

}  // namespace orrery::test
