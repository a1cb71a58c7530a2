#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/ports/api.h"

namespace orrery::test {

/// The API server that the recordings of controllers played against: just enough of one to answer
/// a controller's writes as it did (generated names, optimistic locking, injected failures), and
/// the record of the writes in the recordings' form.
class RecordedStore {
 public:
  /// Begins a step: what the step before has written is replaced by what the recording says.
  /// Answers the objects that are new or changed, then those that are gone.
  struct Delta {
    std::vector<api::Object> set;
    std::vector<api::Object> gone;
  };
  Delta begin_step(const api::Json& step);
  ApiResponse answer(const ApiRequest& request, Time now);
  /// Resource versions above this one were given out in the present step.
  int64_t newest_known_version() const { return newest_known_; }
  /// Writes of the present step.
  const api::Json& writes() const { return writes_; }

 private:
  struct Failure {
    std::string verb, resource, error;
    int64_t from, count;
  };
  static std::string key_of(const api::KindDesc& kind, const Str& ns, const Str& name);
  ApiResponse create(const ApiRequest& request, Time now, api::Json& record);
  ApiResponse apply(const ApiRequest& request, Time now, api::Json& record);
  ApiResponse update(const ApiRequest& request, api::Json& record);
  ApiResponse remove(const ApiRequest& request, Time now);
  ApiResponse patch(const ApiRequest& request);
  ApiResponse get(const ApiRequest& request);
  const Failure* injected(const std::string& verb, const std::string& resource);

  std::map<std::string, api::Object> known_;  // as the recording says
  std::map<std::string, api::Object> live_;   // with the writes of this step
  std::vector<Failure> failures_;
  std::map<std::string, int64_t> counts_;  // of "verb resource" in this step
  api::Json writes_ = api::Json::array();
  int64_t revision_ = 1'000'000;
  int64_t newest_known_ = 0;
  int generated_ = 0;
};

/// An object's JSON for comparisons: through the codec, without nulls and empty status.
api::Json normal_json(const api::Object& object);
/// A recorded object's JSON in the same form; the text of the error in a string if it is none.
api::Json normal_json(const api::Json& recorded);
/// The same for a status alone; `resource` "pods/status".
api::Json normal_status(std::string_view resource, const api::Json& recorded);

}  // namespace orrery::test
