#include "realmode/daemon/encryption_reload.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "realmode/crypto/value_cipher.h"
#include "realmode/daemon/files.h"
#include "sim/kernel/kernel.h"
#include "sim/store/sim_store.h"

namespace orrery::realmode {
namespace {

class EncryptionReloads : public ::testing::Test, public LaneHandler {
 protected:
  EncryptionReloads()
      : path_(std::filesystem::temp_directory_path() / str_cat("orrery-encryption-", uint64_t(getpid()), ".yaml")),
        under_(&kernel_, &kernel_),
        lane_(kernel_.open("client", this)) {
    configure("  - identity: {}\n");
    transformer_ = std::make_unique<server::ValueTransformer>(*server::parse_encryption_config(*read_file(path_), path_), &cipher_);
    store_ = std::make_unique<server::EncryptedStore>(&under_, transformer_.get());
    reload_ = std::make_unique<EncryptionReload>(&kernel_, &kernel_, path_, store_.get(), &cipher_);
  }
  ~EncryptionReloads() override { std::filesystem::remove(path_); }

  void configure(std::string_view providers) {
    const std::string text = str_cat(
        "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n",
        providers);
    ASSERT_TRUE(write_file(path_, text, true).is_ok());
  }
  /// What a minute later lies in the store for a value that is written then.
  std::string written() {
    kernel_.run_until(kernel_.now() + Duration::seconds(61));
    TxnRequest txn;
    txn.success.emplace_back();
    txn.success[0].kind = StoreOp::Kind::kPut;
    txn.success[0].range.key = "/registry/secrets/ns/s";
    txn.success[0].value.bytes = "text";
    store_->txn({lane_, 1}, std::move(txn));
    RangeRequest range;
    range.key = "/registry/secrets/ns/s";
    under_.range({lane_, 2}, range);
    kernel_.run_until(kernel_.now() + Duration::seconds(1));
    return under_.take(answer_).range.kvs.at(0).value.bytes.str();
  }
  void handle(const Ctx&, const Event& event) override { answer_ = event.b; }

  const std::string path_;
  LibraryValueCipher cipher_;
  sim::Kernel kernel_;
  sim::SimStore under_;
  LaneId lane_;
  uint64_t answer_ = 0;
  std::unique_ptr<server::ValueTransformer> transformer_;
  std::unique_ptr<server::EncryptedStore> store_;
  std::unique_ptr<EncryptionReload> reload_;
};

TEST_F(EncryptionReloads, ANewConfigurationHoldsAfterAMinuteAndABrokenOneDoesNot) {
  EXPECT_EQ(written(), "text");
  const char* const key = "{name: a, secret: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}";
  configure(str_cat("  - secretbox: {keys: [", key, "]}\n"));
  EXPECT_TRUE(written().starts_with("k8s:enc:secretbox:v1:a:"));
  configure("  - kms: {name: x}\n");
  EXPECT_TRUE(written().starts_with("k8s:enc:secretbox:v1:a:"));
  configure(str_cat("  - aesgcm: {keys: [", key, "]}\n"));
  EXPECT_TRUE(written().starts_with("k8s:enc:aesgcm:v1:a:"));
}

}  // namespace
}  // namespace orrery::realmode
