#include "engine/server/service_range_book.h"

#include <gtest/gtest.h>

namespace orrery::server {
namespace {

const ServiceRanges kRanges{"10.96.0.0/16", 30000, 32767};

corev1::Service service(const char* ip, int32_t port) {
  corev1::Service out;
  out.metadata.mut().name = "s";
  out.spec.mut().cluster_ips = {ip};
  corev1::ServicePort one;
  one.node_port = port;
  out.spec.mut().ports.push_back(one);
  return out;
}

struct Booked {
  std::vector<StoreCompare> compares;
  std::vector<StoreOp> writes;
  const corev1::RangeAllocation& range(size_t i) const { return writes[i].value.object.get<corev1::RangeAllocation>(); }
};

Booked book(const ServiceRangeBook& ranges, const corev1::Service* old, const corev1::Service* fresh, const TakenByServices& all = {}) {
  Booked out;
  ranges.book(old, fresh, all, out.compares, out.writes);
  return out;
}

KeyValue stored(const StoreOp& write, int64_t revision) {
  KeyValue kv;
  kv.key = write.range.key;
  kv.value = write.value;
  kv.mod_revision = revision;
  return kv;
}

TEST(ServiceRangeBook, WritesTheBitmapsOfKubernetes) {
  const ServiceRangeBook ranges(kRanges);
  const corev1::Service fresh = service("10.96.0.10", 30008);
  const Booked booked = book(ranges, nullptr, &fresh);
  ASSERT_EQ(booked.writes.size(), 2u);
  EXPECT_EQ(booked.writes[0].range.key, "/registry/ranges/serviceips");
  EXPECT_EQ(booked.range(0).range, "10.96.0.0/16");
  // Bit 9 (the first address is 10.96.0.1) of a big-endian number.
  EXPECT_EQ(booked.range(0).data.view(), std::string_view("\x02\x00", 2));
  EXPECT_EQ(booked.writes[1].range.key, "/registry/ranges/servicenodeports");
  EXPECT_EQ(booked.range(1).range, "30000-32767");
  EXPECT_EQ(booked.range(1).data.view(), std::string_view("\x01\x00", 2));
  EXPECT_EQ(booked.compares[0].number, 0);  // nobody has made it meanwhile
}

TEST(ServiceRangeBook, ComparesWithWhatItHasSeenAndReleases) {
  ServiceRangeBook ranges(kRanges);
  const corev1::Service first = service("10.96.0.1", 0), second = service("10.96.0.9", 0);
  EXPECT_TRUE(ranges.note(stored(book(ranges, nullptr, &first).writes[0], 7)));
  Booked booked = book(ranges, nullptr, &second);
  EXPECT_EQ(booked.writes.size(), 1u);  // no ports
  EXPECT_EQ(booked.compares[0].number, 7);
  EXPECT_EQ(booked.range(0).data.view(), std::string_view("\x01\x01", 2));
  ranges.note(stored(booked.writes[0], 8));
  booked = book(ranges, &first, nullptr);
  EXPECT_EQ(booked.range(0).data.view(), std::string_view("\x01\x00", 2));
  TakenByServices taken;
  ranges.add_taken(taken);
  EXPECT_EQ(taken.addresses, (std::unordered_set<uint32_t>{10u << 24 | 96u << 16 | 1, 10u << 24 | 96u << 16 | 9}));
}

TEST(ServiceRangeBook, BeginsWithWhatServicesHave) {
  const ServiceRangeBook ranges(kRanges);
  const corev1::Service old = service("10.96.0.2", 0), fresh = service("10.96.0.1", 0);
  TakenByServices all;
  all.add(old);
  EXPECT_EQ(book(ranges, nullptr, &fresh, all).range(0).data.view(), "\x03");
}

TEST(ServiceRangeBook, WhatChangesNothingIsNotWritten) {
  const ServiceRangeBook ranges(kRanges);
  const corev1::Service one = service("10.96.0.2", 30001), headless = service("None", 0);
  EXPECT_TRUE(book(ranges, &one, &one).writes.empty());
  EXPECT_TRUE(book(ranges, nullptr, &headless).writes.empty());
  EXPECT_FALSE(ServiceRangeBook(kRanges).note({"/registry/services/specs/a/b", {}, 0, 1, 1, 0}));
}

TEST(ServiceRangeBook, BitsOfAnotherRangeAreNotTaken) {
  ServiceRangeBook ranges(kRanges);
  const corev1::Service first = service("10.96.0.1", 0);
  StoreOp write = book(ranges, nullptr, &first).writes[0];
  write.value.object.mut<corev1::RangeAllocation>().range = "10.0.0.0/24";
  ranges.note(stored(write, 4));
  TakenByServices taken;
  ranges.add_taken(taken);
  EXPECT_TRUE(taken.addresses.empty());
}

}  // namespace
}  // namespace orrery::server
