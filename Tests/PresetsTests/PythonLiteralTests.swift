import Formats
import Testing

@testable import Presets

@Suite struct PythonLiteralTests {
  @Test(arguments: [
    ("dict(net_arch=[400, 300])", #"{"net_arch":[400,300]}"#),
    ("dict(log_std_init=-3.67, net_arch=[64, 64])", #"{"log_std_init":-3.67,"net_arch":[64,64]}"#),
    ("{'norm_obs': True, 'norm_reward': False}", #"{"norm_obs":true,"norm_reward":false}"#),
    (
      "dict(\n  online_sampling=True,\n  goal_selection_strategy='future',\n  n_sampled_goal=4\n)",
      #"{"goal_selection_strategy":"future","n_sampled_goal":4,"online_sampling":true}"#
    ),
    (
      "dict(net_arch=dict(pi=[256], qf=[512, 512]), activation_fn=nn.ReLU,)",
      #"{"activation_fn":"nn.ReLU","net_arch":{"pi":[256],"qf":[512,512]}}"#
    ),
    ("(1, None)", "[1,null]"), ("dict()", "{}"), ("[]", "[]"),
  ])
  func `dictionaries, lists and names are read`(text: String, json: String) throws {
    #expect(PythonLiteral.value(text)?.text() == json)
  }

  @Test(arguments: [
    "", "dict(", "dict(a)", "dict(a=1", "{'a' 1}", "[1", "'a", "dict(a=1) + 2", "{1: 2}",
    String(repeating: "[", count: 100_000),
  ])
  func `anything else is nothing`(text: String) { #expect(PythonLiteral.value(text) == nil) }
}
