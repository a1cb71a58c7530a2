// Secrets at rest: the configuration, what is written under it, and a server on such a store.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "engine/api/base64.h"
#include "engine/server/encryption/encrypted_store.h"
#include "engine/server/server.h"
#include "realmode/crypto/value_cipher.h"
#include "sim/kernel/kernel.h"
#include "sim/store/sim_store.h"

namespace orrery::server {
namespace {

constexpr std::string_view kKey = "/registry/secrets/default/s";
constexpr std::string_view kSecretA = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kSecretB = "fedcba9876543210";

std::string unhex(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return out;
}

std::string provider(std::string_view cipher,
                     std::vector<std::pair<std::string, std::string_view>> keys) {
  std::string out = str_cat("  - ", cipher, ":\n      keys:\n");
  for (const auto& [name, secret] : keys)
    out += str_cat("      - {name: ", name, ", secret: ", api::base64_encode(secret), "}\n");
  return out;
}

std::string config_text(std::string_view resources, std::string_view providers) {
  return str_cat(
      "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- "
      "resources: [",
      resources, "]\n  providers:\n", providers);
}

const realmode::LibraryValueCipher kCipher;

ValueTransformer transformer(std::string_view resources, std::string_view providers) {
  auto config = parse_encryption_config(config_text(resources, providers), "enc.yaml");
  EXPECT_TRUE(config.is_ok()) << config.status().message();
  return ValueTransformer(config.is_ok() ? *config : EncryptionConfig(), &kCipher);
}

// Made with Go's crypto/aes, crypto/cipher and golang.org/x/crypto/nacl/secretbox.
TEST(ValueTransformer, ReadsWhatKubernetesWrites) {
  const auto gcm = transformer("secrets", provider("aesgcm", {{"k1", kSecretA}}));
  const std::string sealed =
      unhex("000102030405060708090a0b46ddc87cad70b78cdebd1dcb1441c48437a770d87036e31cd61d014027");
  const auto text = gcm.from_storage(kKey, "k8s:enc:aesgcm:v1:k1:" + sealed);
  ASSERT_TRUE(text.is_ok()) << text.status().message();
  EXPECT_EQ(*text, std::string_view("k8s\0the value", 13));
  const auto cbc = transformer("secrets", provider("aescbc", {{"k1", kSecretA}}));
  const auto old = cbc.from_storage(
      kKey, "k8s:enc:aescbc:v1:k1:" +
                unhex("101112131415161718191a1b1c1d1e1f337bb9bfdb3c08801d4f5e473779d0ab"));
  ASSERT_TRUE(old.is_ok()) << old.status().message();
  EXPECT_EQ(*old, std::string_view("k8s\0the value", 13));
  const auto box = transformer("secrets", provider("secretbox", {{"k1", kSecretA}}));
  const auto boxed = box.from_storage(
      kKey, "k8s:enc:secretbox:v1:k1:" +
                unhex("000102030405060708090a0b0c0d0e0f1011121314151617bd2a869437e9d789c0d43eae2fd1c006a7351d0404"
                      "1934805167f854fa"));
  ASSERT_TRUE(boxed.is_ok()) << boxed.status().message();
  EXPECT_EQ(*boxed, std::string_view("k8s\0the value", 13));
}

TEST(ValueTransformer, ASecretboxOpensWithItsKeyOnly) {
  const auto box = transformer("secrets", provider("secretbox", {{"a", kSecretA}}));
  const std::string sealed = box.to_storage(kKey, "value");
  EXPECT_TRUE(sealed.starts_with("k8s:enc:secretbox:v1:a:"));
  EXPECT_EQ(box.from_storage(kKey, sealed).value(), "value");
  EXPECT_NE(box.to_storage(kKey, "value"), sealed);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string bad = sealed;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(box.from_storage(kKey, bad).is_ok()) << i;
    EXPECT_FALSE(box.from_storage(kKey, sealed.substr(0, i)).is_ok()) << i;
  }
  const auto other = transformer("secrets", provider("secretbox", {{"b", kSecretA}}));
  EXPECT_EQ(other.from_storage(kKey, sealed).status().message(),
            "no matching key was found for the provided Secretbox transformer");
}

TEST(ValueTransformer, WritesWithTheFirstKeyAndReadsWithAll) {
  const auto before = transformer("secrets", provider("aesgcm", {{"a", kSecretA}}));
  const auto rotated =
      transformer("secrets", provider("aesgcm", {{"b", kSecretB}, {"a", kSecretA}}));
  const auto after = transformer("secrets", provider("aesgcm", {{"b", kSecretB}}));
  const std::string old = before.to_storage(kKey, "x");
  EXPECT_TRUE(old.starts_with("k8s:enc:aesgcm:v1:a:"));
  EXPECT_EQ(rotated.from_storage(kKey, old).value(), "x");
  const std::string fresh = rotated.to_storage(kKey, "x");
  EXPECT_TRUE(fresh.starts_with("k8s:enc:aesgcm:v1:b:"));
  EXPECT_EQ(after.from_storage(kKey, fresh).value(), "x");
  EXPECT_EQ(after.from_storage(kKey, old).status().message(),
            "no matching key was found for the provided AES transformer");
  EXPECT_NE(rotated.to_storage(kKey, "x"), fresh) << "the same value must not look the same twice";
}

TEST(ValueTransformer, WrongKeysAndTamperedOrExchangedValuesAreRefused) {
  const auto right = transformer("secrets", provider("aesgcm", {{"a", kSecretA}}));
  const auto wrong = transformer("secrets", provider("aesgcm", {{"a", kSecretB}}));
  const std::string sealed = right.to_storage(kKey, "value");
  EXPECT_EQ(wrong.from_storage(kKey, sealed).status().message(),
            "cipher: message authentication failed");
  EXPECT_FALSE(right.from_storage("/registry/secrets/default/other", sealed).is_ok());
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string bad = sealed;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(right.from_storage(kKey, bad).is_ok()) << i;
    EXPECT_FALSE(right.from_storage(kKey, sealed.substr(0, i)).is_ok()) << i;
  }
  const auto cbc = transformer("secrets", provider("aescbc", {{"a", kSecretA}}));
  const std::string padded = cbc.to_storage(kKey, "value");
  EXPECT_EQ(cbc.from_storage(kKey, padded).value(), "value");
  for (size_t i = 0; i < padded.size(); ++i)
    static_cast<void>(cbc.from_storage(kKey, padded.substr(0, i)).is_ok());
}

TEST(ValueTransformer, IdentityReadsPlainValuesOnly) {
  const std::string gcm = provider("aesgcm", {{"a", kSecretA}});
  const auto strict = transformer("secrets", gcm);
  const auto moving_in = transformer("secrets", gcm + "  - identity: {}\n");
  const auto moving_out = transformer("secrets", "  - identity: {}\n" + gcm);
  const std::string sealed = strict.to_storage(kKey, "v");
  EXPECT_EQ(strict.from_storage(kKey, "plain").status().message(), "no matching prefix found");
  EXPECT_EQ(moving_in.from_storage(kKey, "plain").value(), "plain");
  EXPECT_EQ(moving_out.to_storage(kKey, "v"), "v");
  EXPECT_EQ(moving_out.from_storage(kKey, sealed).value(), "v");
  EXPECT_EQ(ValueTransformer({}, nullptr).from_storage(kKey, sealed).status().message(),
            "identity transformer tried to read encrypted data");
}

TEST(ValueTransformer, WildcardsMeanGroupsAndEverything) {
  const std::string gcm = provider("aesgcm", {{"a", kSecretA}});
  const std::string secret(kKey), deployment = "/registry/deployments/default/d",
                                  custom = "/registry/a.example/things/default/t";
  const auto apps = transformer("'*.apps'", gcm), core = transformer("'*.'", gcm),
             all = transformer("'*.*'", gcm), things = transformer("things.a.example", gcm);
  EXPECT_TRUE(apps.encrypts(deployment) && !apps.encrypts(secret) && !apps.encrypts(custom));
  EXPECT_TRUE(core.encrypts(secret) && !core.encrypts(deployment) && !core.encrypts(custom));
  EXPECT_TRUE(all.encrypts(secret) && all.encrypts(deployment) && all.encrypts(custom));
  EXPECT_TRUE(things.encrypts(custom) && !things.encrypts(secret));
}

TEST(EncryptionConfig, MistakesNameFileLineAndField) {
  const std::string gcm = provider("aesgcm", {{"a", kSecretA}}),
                    short_key = provider("aesgcm", {{"a", "short"}});
  const std::pair<std::string, std::string> cases[] = {
      {"kind: EncryptionConfiguration", "apiVersion"},
      {config_text("", gcm), "resources[0].resources: at least one resource is required"},
      {config_text("secrets", "    []\n"),
       "resources[0].providers: at least one provider is required"},
      {config_text("secrets", short_key),
       "enc.yaml:8: resources[0].providers[0].aesgcm.keys[0].secret: secret is not of the expected "
       "length, got 5"},
      {config_text("secrets", "  - aesgcm: {keys: [{name: a, secret: '*'}]}\n"), "base64"},
      {config_text("secrets", "  - aesgcm: {keys: []}\n"), "at least one key"},
      {config_text("secrets", "  - {}\n"), "does not contain any of the expected providers"},
      {config_text(
           "secrets",
           "  - {identity: {}, aescbc: {keys: [{name: a, secret: 'MDEyMzQ1Njc4OWFiY2RlZg=='}]}}\n"),
       "more than one provider"},
      {config_text("secrets", "  - kms: {name: x}\n"), "kms: orrery does not have this provider"},
      {config_text("secrets", provider("secretbox", {{"a", kSecretB}})),
       "secretbox.keys[0].secret: secret is not of the expected length, got 16, expected one of [32]"},
      {config_text("secrets, secrets", gcm), "specified multiple times"},
      {config_text("Secrets", gcm), "capital letters"},
      {config_text("'*'", gcm), "use '*.' to encrypt all"},
      {config_text("secrets, '*.'", gcm), "overlapping"},
      {config_text("events.events.k8s.io", gcm), "stored using the 'events' API group"},
      {config_text("secrets", gcm) + "unknown: 1\n", "unknown: unknown field"},
      {config_text("'*.*'", gcm) + "- resources: [secrets]\n  providers: [{identity: {}}]\n",
       "masked by earlier rule"},
  };
  for (const auto& [text, expected] : cases) {
    const auto config = parse_encryption_config(text, "enc.yaml");
    ASSERT_FALSE(config.is_ok()) << text;
    EXPECT_NE(config.status().message().find(expected), std::string::npos)
        << config.status().message();
    EXPECT_TRUE(config.status().message().starts_with("enc.yaml")) << config.status().message();
  }
}

/// A server on a store in memory under one configuration after the other.
class ServedSecrets : public ::testing::Test, public LaneHandler {
 protected:
  ServedSecrets() : store_(&kernel_, &kernel_), lane_(kernel_.open("client", this)) {}

  struct Run {
    ValueTransformer transformer;
    EncryptedStore store;
    Server server;
    Run(ValueTransformer t, Store* under, const Env& env)
        : transformer(std::move(t)), store(under, &transformer), server(env, &store, [] {
            Server::Options options;
            options.serves_clients = true;
            return options;
          }()) {}
  };
  /// Earlier servers stay: the kernel knows their lanes.
  Run* start(ValueTransformer transformer) {
    runs_.push_back(std::make_unique<Run>(std::move(transformer), &store_,
                                          Env{&kernel_, &kernel_, nullptr, Rng(1)}));
    return runs_.back().get();
  }
  ApiResponse call(Run& run, ApiVerb verb, std::string_view name, std::string_view text = "") {
    ApiRequest request;
    request.verb = verb;
    request.kind = corev1::Secret::descriptor().kind;
    request.ns = "default";
    request.name = Str(verb == ApiVerb::kCreate || verb == ApiVerb::kList ? "" : name);
    if (!text.empty()) {
      corev1::Secret secret;
      secret.metadata.mut().name = Str(name);
      secret.metadata.mut().namespace_ = "default";
      secret.string_data.set("text", Str(text));
      request.object = api::Object::of(std::move(secret));
    }
    run.server.call({lane_, 1}, std::move(request));
    kernel_.run_until(kernel_.now() + Duration::seconds(1));
    return run.server.take(answer_);
  }
  std::string stored(std::string_view key) {
    RangeRequest range;
    range.key = Str(key);
    store_.range({lane_, 2}, range);
    kernel_.run_until(kernel_.now() + Duration::seconds(1));
    const StoreOutcome outcome = store_.take(answer_);
    return outcome.range.kvs.empty() ? "" : outcome.range.kvs[0].value.bytes.str();
  }
  void handle(const Ctx&, const Event& event) override { answer_ = event.b; }

  sim::Kernel kernel_;
  sim::SimStore store_;
  LaneId lane_;
  std::vector<std::unique_ptr<Run>> runs_;
  uint64_t answer_ = 0;
};

TEST_F(ServedSecrets, AreWrittenSealedAndReadBack) {
  Run* const run = start(transformer("secrets", provider("aesgcm", {{"a", kSecretA}})));
  ASSERT_TRUE(call(*run, ApiVerb::kCreate, "s", "classified").status.is_ok());
  EXPECT_TRUE(stored(kKey).starts_with("k8s:enc:aesgcm:v1:a:"));
  EXPECT_EQ(stored(kKey).find("classified"), std::string::npos);
  Run* const again = start(transformer(
      "secrets", provider("aescbc", {{"b", kSecretB}}) + provider("aesgcm", {{"a", kSecretA}})));
  EXPECT_EQ(call(*again, ApiVerb::kGet, "s").object.get<corev1::Secret>().data.find("text")->str(),
            "classified");
  ASSERT_TRUE(call(*again, ApiVerb::kUpdate, "s", "changed").status.is_ok());
  EXPECT_TRUE(stored(kKey).starts_with("k8s:enc:aescbc:v1:b:"));
}

TEST_F(ServedSecrets, ThatCannotBeReadAreNeitherShownNorReplaced) {
  call(*start(transformer("secrets", provider("aesgcm", {{"a", kSecretA}}))), ApiVerb::kCreate, "s",
       "classified");
  const std::string before = stored(kKey);
  Run* const run = start(transformer("secrets", provider("aesgcm", {{"a", kSecretB}})));
  const ApiResponse got = call(*run, ApiVerb::kGet, "s");
  EXPECT_EQ(got.status.code(), Code::kInternal);
  EXPECT_EQ(got.status.message(), "Internal error occurred: cipher: message authentication failed");
  EXPECT_EQ(call(*run, ApiVerb::kList, "").status.message(),
            "Internal error occurred: unable to transform key \"/registry/secrets/default/s\": "
            "cipher: message authentication failed");
  EXPECT_EQ(call(*run, ApiVerb::kCreate, "s", "mine").status.code(), Code::kAlreadyExists);
  EXPECT_EQ(call(*run, ApiVerb::kUpdate, "s", "mine").status.code(), Code::kInternal);
  EXPECT_EQ(call(*run, ApiVerb::kDelete, "s").status.code(), Code::kInternal);
  EXPECT_EQ(stored(kKey), before);
  EXPECT_TRUE(call(*run, ApiVerb::kCreate, "t", "other").status.is_ok());
  EXPECT_TRUE(call(*run, ApiVerb::kGet, "t").status.is_ok());
}

}  // namespace
}  // namespace orrery::server
