// SPDX-License-Identifier: Apache-2.0
#pragma once

/// MESSAGE_ID of the log entries that an operator may want to find, or to react to. What each means
/// and what to do is in systemd/cmk.catalog, which `journalctl -x` shows. An id never changes its
/// meaning: what is another kind of entry gets another id (`systemd-id128 new`).
namespace cmk::message_id {

inline constexpr char kAgentReady[] = "1fb08c6901e64bcc8808a2c53c5cfbf0";
inline constexpr char kAgentEnding[] = "3c3afe8fcc86466c86a5694275aa7704";
inline constexpr char kAffinityOnly[] = "6a130d15c83f435db7eeaa490a470582";
inline constexpr char kBusLost[] = "f7072dd5ead94edb8f63f5b6834f1e14";
inline constexpr char kNoDescriptors[] = "03d3a83f26be4817ae14883babc1ba6d";

inline constexpr char kLeaseGiven[] = "d4fa1a7a5cb0490c8326d315e555d466";
inline constexpr char kLeaseEnded[] = "57d933cb8ad14bc7a00105b417d68d39";
inline constexpr char kLeaseReleased[] = "c74a6d509d54409aaa468c06bf35267f";
inline constexpr char kLeaseStuck[] = "bcaa777a703f4c16a910c13240502362";
inline constexpr char kGradeDropped[] = "6f0c2f1d3bb94d6c8f2a7c15e0a94b71";
inline constexpr char kGradeRose[] = "0c9a06e8d68e4657b165ea56b9a076ee";
inline constexpr char kCpusChanged[] = "b4d1c9a07f5e4c0f9d6e2a83c1f7705e";
inline constexpr char kKubeletOverlap[] = "52c7ab0d64f848ad9d12a1fce2b40f37";
inline constexpr char kCpusGone[] = "36d750d6b3b24a6095437521b3402847";

inline constexpr char kRepaired[] = "c6fc7869c611475d8bc0272b35b9ab5d";
inline constexpr char kNotRepaired[] = "a39fdd0371144d839926458141adee73";
inline constexpr char kCpusLost[] = "29031ca9d3974fc79b88f1a1a606c545";
inline constexpr char kStateRefused[] = "e37b1cc7d83747808ccef34b33041738";
inline constexpr char kTakenUp[] = "127cd7611f3b4a1bbdfd5a492b18ef21";

inline constexpr char kPoolsChanged[] = "5d189c565a444efaa40b6f3df4d6bde4";
inline constexpr char kPoolsKept[] = "3f7ff232c61747c88d4f1bc556db377a";
inline constexpr char kConfigReloaded[] = "a2327d88c2214f1cb31ea16f92142bb9";
inline constexpr char kConfigRefused[] = "941ddec7585643a38b6f8f372d506918";

}  // namespace cmk::message_id
