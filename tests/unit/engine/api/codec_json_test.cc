#include "engine/api/codec_json.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/api/gen/corev1.h"
#include "engine/api/json_text.h"

namespace orrery::api {
namespace {

constexpr const char* kPod = R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}})";

std::string strict_error(const std::string& text) { return decode_json(text, {.strict = true}).status().message(); }

std::string pod_with(const std::string& spec) {
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":)" + spec + "}";
}

TEST(CodecJson, UnknownFieldsAreIgnoredUnlessStrict) {
  const std::string text = pod_with(R"({"containers":[{"name":"c","imagee":"x"}]})");
  EXPECT_TRUE(decode_json(text).is_ok());
  EXPECT_EQ(strict_error(text), R"(strict decoding error: unknown field "spec.containers[0].imagee")");
}

TEST(CodecJson, StrictErrorsNameEveryUnknownAndDuplicateFieldOnce) {
  EXPECT_EQ(strict_error(pod_with(R"({"nodeName":"a","nodeName":"b","nodeName":"c","x":1,"x":2})")),
            R"(strict decoding error: duplicate field "spec.nodeName", unknown field "spec.x")");
}

TEST(CodecJson, StrictErrorsCoverKeysOfMaps) {
  const std::string text = R"({"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1","b":"2","a":"3"}})";
  EXPECT_EQ(strict_error(text), R"(strict decoding error: duplicate field "data.a")");
  EXPECT_EQ(decode_json(text)->get<corev1::ConfigMap>().data.get("a"), "3");
}

TEST(CodecJson, ThousandsOfStrictErrorsAreCutOff) {
  std::string spec = "{";
  for (int i = 0; i < 5000; ++i) spec += str_cat(i ? "," : "", "\"x", i, "\":1");
  const std::string message = strict_error(pod_with(spec + "}"));
  EXPECT_NE(message.find("\"spec.x99\""), std::string::npos);
  EXPECT_EQ(message.find("\"spec.x100\""), std::string::npos);
}

TEST(CodecJson, ErrorsNameThePathWhatWasFoundAndWhatIsAllowed) {
  EXPECT_EQ(decode_json(pod_with(R"({"containers":[{"name":"a"},{"name":7}]})")).status().message(),
            "spec.containers[1].name: found a number, must be a string");
  EXPECT_EQ(decode_json(pod_with(R"({"priority":3000000000})")).status().message(),
            "spec.priority: found 3000000000, must be in -2147483648..2147483647");
  EXPECT_EQ(decode_json("[]").status().message(), "found a list, must be an object with apiVersion and kind");
}

TEST(CodecJson, LargeMapsKeepTheLastOfEqualKeysAndTheOrderOfKeys) {
  // In falling order, twice: what an insertion one by one would take longest for.
  std::string text = R"({"apiVersion":"v1","kind":"ConfigMap","data":{)";
  for (int round = 0; round < 2; ++round)
    for (int i = 999; i >= 0; --i) text += str_cat("\"k", 1000 + i, "\":\"", round, "\",");
  text.back() = '}';
  const auto config = decode_json(text + "}").value().get<corev1::ConfigMap>();
  ASSERT_EQ(config.data.size(), 1000u);
  EXPECT_EQ(config.data.begin()->key, "k1000");
  for (const auto& entry : config.data) EXPECT_EQ(entry.value, "1");
  EXPECT_EQ(strict_error(text + "}").find("strict decoding error: duplicate field \"data.k1000\""), 0u);
}

TEST(CodecJson, DeepNestingIsRefused) {
  std::string text = R"({"apiVersion":"v1","kind":"Pod","spec":)";
  for (int i = 0; i < 100'000; ++i) text += "[";
  EXPECT_FALSE(decode_json(text).is_ok());
}

TEST(CodecJson, EncodingEscapesAsGoDoesWhereverTheCharacterStands) {
  // Around the eight-byte steps of the fast path.
  const std::pair<std::string, std::string> escapes[] = {
      {"\"", "\\\""}, {"\\", "\\\\"}, {"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}, {"\n", "\\n"},
      {"\x01", "\\u0001"}, {"\xe2\x80\xa8", "\\u2028"}, {"\xff", "\\ufffd"}, {"\xc3\xa9", "\xc3\xa9"}};
  for (const auto& [raw, escaped] : escapes)
    for (size_t before = 0; before < 18; ++before)
      for (size_t after : {0, 1, 7, 8, 9}) {
        corev1::ConfigMap config;
        const std::string head(before, 'a'), tail(after, '~');
        config.data.set("k", Str(head + raw + tail));
        const std::string text = encode_json(Object::of(config));
        EXPECT_NE(text.find("\"k\":\"" + head + escaped + tail + "\""), std::string::npos) << text;
      }
}

TEST(CodecJson, TheFastPathKnowsEveryPlainCharacter) {
  for (unsigned c = 0; c < 256; ++c)
    for (size_t at = 0; at < 8; ++at) {
      char bytes[8] = {'a', ' ', '~', '!', '#', '\x7f', 'z', '0'};
      bytes[at] = static_cast<char>(c);
      uint64_t word;
      std::memcpy(&word, bytes, 8);
      EXPECT_EQ(all_plain_json(word), is_plain_json(static_cast<unsigned char>(c))) << c << " at " << at;
    }
}

TEST(CodecJson, EmptyListsNilListsAndEmptyStructsDiffer) {
  corev1::Pod pod;
  EXPECT_EQ(encode_json_struct(pod), R"({"metadata":{"creationTimestamp":null},"spec":{"containers":null},"status":{}})");
  pod.spec.mut().containers.clear();
  EXPECT_EQ(encode_json_struct(pod), R"({"metadata":{"creationTimestamp":null},"spec":{"containers":[]},"status":{}})");
}

TEST(CodecJson, APoolSharesEqualTexts) {
  StrPool pool;
  const auto a = decode_json(kPod, {.pool = &pool}).value(), b = decode_json(kPod, {.pool = &pool}).value();
  EXPECT_TRUE(a.get<corev1::Pod>().metadata->name.same(b.get<corev1::Pod>().metadata->name));
}

}  // namespace
}  // namespace orrery::api
