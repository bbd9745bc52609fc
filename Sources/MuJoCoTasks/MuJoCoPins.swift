// MuJoCoPins.swift — the SHA-256 of the library and of the models that the environments are made for.
//
// From the wheels mujoco-core 4.0.0 and gymnasium 1.4.0, whose own digests Scripts/fetch-dependencies pins.

import Platform

enum MuJoCoPins {
  /// The version of Gymnasium that the models are from.
  static let gymnasium = "1.4.0"

  /// Of libmujoco 4.0.0 on this platform; nil where none is published.
  static let library: String? = {
    #if os(Linux) && arch(x86_64)
      "90bc997a73efc90624a120f63eccd67441dfc6c705cd537357508f44757880ba"
    #elseif os(Linux) && arch(arm64)
      "0f26ca812e38dc71ade595de5b99d0eedc8a344b595e8968b32a391433dc566b"
    #elseif os(macOS) && arch(arm64)
      "33d144886e581ed381785a0e88db8bf4c293ecad3330a91126bd87609617308c"
    #else
      nil
    #endif
  }()

  /// Of each model that an environment uses, by its name.
  static let models: [String: String] = [
    "ant": "cd5f83ef0ea35b0969e65d360c5bacd5b74ccaef6b27e4433b5168c605e3e2be",
    "half_cheetah": "11797a5d69e8ac955e89ca6fdd3a0087f1c990094fda401ac51420de1b6c5494",
    "hopper": "3ce93a055ffdcd83c0c701d2400768e40d2cbb9532f3c4ae33377c27f8b39f9e",
    "humanoid": "85816f372c826d2094b4a598918233bd9c5843b2439119eece2733bdc2e0d073",
    "humanoidstandup": "9f72a3c4ef956d0d8b1fb555a6ae1a5c22334c5c58cf814ef987ea4d3880e8fc",
    "inverted_double_pendulum": "2b4eadf03bd79a8772abd4c1a626b5755747f841801a694ea9528cc49211ba46",
    "inverted_pendulum": "80910a9af85cd47072be82d6f92c5e6a115d0eecc3eb464e58542b285c89fb7f",
    "pusher_v5": "3c9a717f6d2cecd555ab9b78694dba71019fa233230c68c8197ebb07d6713879",
    "reacher": "3fabc64fc738326485a8231a9a649f784090a0c3d8215f8d2ccd6038b8e60cc4",
    "swimmer": "25b0d46bf5522920fea6a579353aee39d391ad9e2a0574b53f83704c11b21b12",
    "walker2d_v5": "6bed53a6cc3ca73c4fe8ac3486d3b4228927264a6454f4ef16d3eed3c58bc09d",
  ]

  /// Throws what is wrong with a file whose digest is pinned: it is missing, or another one.
  static func check(_ path: String, is pinned: String) throws(MuJoCoUnavailable) {
    let found: String
    do { found = try SHA256.ofFile(path) } catch { throw MuJoCoUnavailable("\(path) cannot be read: \(error.reason)") }
    guard found == pinned else {
      throw MuJoCoUnavailable("\(path) is damaged or another one: its sha256 is \(found), pinned is \(pinned)")
    }
  }
}
