#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "realmode/daemon/files.h"
#include "realmode/daemon/host_address.h"
#include "realmode/daemon/pki.h"
#include "realmode/daemon/token_file.h"

namespace orrery::realmode {
namespace {

const Time kNow = Time::from_unix_seconds(1'800'000'000);

class Folder {
 public:
  Folder() {
    char path[] = "/tmp/orrery-daemon-XXXXXX";
    path_ = mkdtemp(path);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

int mode_of(const std::string& path) {
  struct stat facts {};
  return stat(path.c_str(), &facts) == 0 ? facts.st_mode & 0777 : -1;
}

TEST(Pki, IsMadeOnceAndKept) {
  const Folder folder;
  const auto first = ensure_pki(folder / "pki", {"127.0.0.1", "10.96.0.1"}, kNow);
  ASSERT_TRUE(first) << first.status().message();
  const auto second =
      ensure_pki(folder / "pki", {"127.0.0.1", "10.96.0.1"}, kNow + Duration::hours(24 * 300));
  ASSERT_TRUE(second);
  EXPECT_EQ(first->apiserver.certificate_pem, second->apiserver.certificate_pem);
  EXPECT_EQ(first->authority_pem, second->authority_pem);
  EXPECT_EQ(first->service_account_key_pem, second->service_account_key_pem);
  for (const char* secret : {"ca.key", "apiserver.key", "admin.key", "sa.key"})
    EXPECT_EQ(mode_of(folder / "pki" + "/" + secret), 0600) << secret;
  EXPECT_EQ(mode_of(folder / "pki"), 0700);
}

TEST(Pki, ServingCertificateIsRenewedBeforeItEndsAndForNewAddresses) {
  const Folder folder;
  const auto first = ensure_pki(folder / "pki", {"127.0.0.1"}, kNow);
  ASSERT_TRUE(first);
  const auto late = ensure_pki(folder / "pki", {"127.0.0.1"}, kNow + Duration::hours(24 * 340));
  ASSERT_TRUE(late);
  EXPECT_NE(first->apiserver.certificate_pem, late->apiserver.certificate_pem);
  const auto moved =
      ensure_pki(folder / "pki", {"127.0.0.1", "192.0.2.7"}, kNow + Duration::hours(24 * 341));
  ASSERT_TRUE(moved);
  EXPECT_NE(moved->apiserver.certificate_pem, late->apiserver.certificate_pem);
  EXPECT_EQ(moved->admin.certificate_pem, late->admin.certificate_pem);
  EXPECT_EQ(moved->authority_pem, first->authority_pem);
}

TEST(Pki, AnAuthorityWithoutItsKeyIsNotReplaced) {
  const Folder folder;
  ASSERT_TRUE(ensure_pki(folder / "pki", {"127.0.0.1"}, kNow));
  std::filesystem::remove(folder / "pki/ca.key");
  const auto again = ensure_pki(folder / "pki", {"127.0.0.1"}, kNow);
  ASSERT_FALSE(again);
  EXPECT_NE(again.status().message().find("ca.key is missing"), std::string::npos);
}

TEST(Certificates, NamesThatWouldBreakOutAreRefused) {
  const auto authority = make_authority("ca", kNow);
  ASSERT_TRUE(authority);
  CertificateSpec spec;
  spec.common_name = "x";
  spec.for_server = true;
  for (const char* name : {"a,IP:10.0.0.1", "", "a b", "a\nb"}) {
    spec.dns_names = {name};
    EXPECT_FALSE(issue(*authority, spec, kNow)) << name;
  }
  spec.dns_names = {"good.example"};
  spec.ip_addresses = {"not-an-address"};
  EXPECT_FALSE(issue(*authority, spec, kNow));
}

TEST(Certificates, OfAnotherAuthorityDoNotServe) {
  const auto ours = make_authority("ca", kNow), other = make_authority("ca", kNow);
  CertificateSpec spec;
  spec.common_name = "x";
  spec.dns_names = {"x.example"};
  const auto identity = issue(*ours, spec, kNow);
  ASSERT_TRUE(identity);
  EXPECT_TRUE(certificate_serves(*identity, ours->certificate_pem, spec, kNow));
  EXPECT_FALSE(certificate_serves(*identity, other->certificate_pem, spec, kNow));
  EXPECT_FALSE(
      certificate_serves(*identity, ours->certificate_pem, spec, kNow + Duration::hours(24 * 366)));
}

TEST(Files, AreReplacedInOneStepWithTheirMode) {
  const Folder folder;
  ASSERT_TRUE(write_file(folder / "a", "one", false).is_ok());
  ASSERT_TRUE(write_file(folder / "a", "two", true).is_ok());
  EXPECT_EQ(*read_file(folder / "a"), "two");
  EXPECT_EQ(mode_of(folder / "a"), 0600);
  EXPECT_FALSE(std::filesystem::exists(folder / "a.new"));
  EXPECT_FALSE(write_file(folder / "none/a", "x", false).is_ok());
  EXPECT_FALSE(read_file(folder / "missing"));
  EXPECT_EQ(*read_file_if_any(folder / "missing"), "");
}

TEST(HostAddress, OnlyUnspecifiedAddressesAreReplaced) {
  EXPECT_EQ(reachable_address("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(reachable_address("::1"), "::1");
  EXPECT_NE(reachable_address("0.0.0.0"), "0.0.0.0");
  EXPECT_EQ(reachable_address("::"), reachable_address("0.0.0.0"));
}

TEST(TokenFile, ReadsUsersAndGroups) {
  const auto tokens = parse_token_file(
      "t1,alice,u1,\"dev,qa\"\n# comment\n\nt2,\"bob \"\"b\"\"\",u2\r\nt3,carol,u3,ops,rest\n");
  ASSERT_TRUE(tokens) << tokens.status().message();
  ASSERT_EQ(tokens->size(), 3u);
  EXPECT_EQ((*tokens)[0].groups, (std::vector<std::string>{"dev", "qa"}));
  EXPECT_EQ((*tokens)[1].user, "bob \"b\"");
  EXPECT_EQ((*tokens)[2].groups, std::vector<std::string>{"ops"});
}

TEST(TokenFile, NamesTheBrokenLine) {
  for (const char* text :
       {"a,b,c\nx,y\n", "a,b,c\n,user,uid\n", "a,b,c\nt,\"open,u\n", "a,b,c\nt,q\"x\",u\n"}) {
    const auto tokens = parse_token_file(text);
    ASSERT_FALSE(tokens) << text;
    EXPECT_NE(tokens.status().message().find("line 2"), std::string::npos)
        << tokens.status().message();
  }
}

}  // namespace
}  // namespace orrery::realmode
