// Arguments.swift — prepares the command line for the parser, and puts the parser's complaints into one line.

import ArgumentParser
import OffPolicy

enum Arguments {
  /// The arguments with `--steps -5` as `--steps=-5`: the parser takes a word that begins with a hyphen for an option, and
  /// would report a missing value.
  static func joiningNegativeNumbers(_ arguments: [String]) -> [String] {
    var result: [String] = []
    for argument in arguments {
      let rest = argument.dropFirst()
      let isNegative = argument.hasPrefix("-") && (rest.first?.isNumber == true || rest.hasPrefix(".") || rest == "inf")
      if isNegative, let option = result.last, option.hasPrefix("--"), option.count > 2, !option.contains("=") {
        result[result.count - 1] = option + "=" + argument
      } else {
        result.append(argument)
      }
    }
    return result
  }

  /// The commands that the first arguments name, such as `dataset`, `info`.
  static func commands(in arguments: [String]) -> [any ParsableCommand.Type] {
    var path: [any ParsableCommand.Type] = []
    var current: any ParsableCommand.Type = RootCommand.self
    for argument in arguments {
      let known = current.configuration.subcommands.first {
        $0._commandName == argument || $0.configuration.aliases.contains(argument)
      }
      guard let next = known else { break }
      path.append(next)
      current = next
    }
    return path
  }

  /// Why the parser refused the arguments, in one line, with the nearest known word and the command for help.
  static func complaint(_ message: String, about arguments: [String]) -> String {
    let path = commands(in: arguments)
    let current = path.last ?? RootCommand.self
    let names = current.configuration.subcommands.map { $0._commandName }
    let help = ([Output.command] + path.map { $0._commandName } + ["--help"]).joined(separator: " ")
    if !names.isEmpty, let word = arguments.dropFirst(path.count).first, !word.hasPrefix("-") {
      let meant = nearestName(to: word, among: names).map { ": did you mean \($0)?" }
      return "there is no command \(word.debugDescription)\(meant ?? ";") `\(help)` shows all of them"
    }
    var line = message.split(separator: "\n").joined(separator: " ").trimmed
    while line.hasSuffix(".") { line.removeLast() }
    if line.isEmpty { line = "an argument is missing" }
    return "\(line)\(line.hasSuffix("?") ? "" : ";") `\(help)` shows all arguments"
  }
}

extension String {
  fileprivate var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
