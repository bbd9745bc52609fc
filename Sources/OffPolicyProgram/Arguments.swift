// Arguments.swift — prepares the command line for the parser, and puts the parser's complaints into one line.

import ArgumentParser
import Foundation
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

  /// What is given twice with different values, in words: of an option, and of a key of `--set` or `--option`, the last value
  /// holds.
  static func overridden(in arguments: [String]) -> [String] {
    var given: [(name: String, value: String)] = []
    let words = arguments.prefix { $0 != "--" }
    for (place, word) in words.enumerated() where word.hasPrefix("--") {
      if let equals = word.firstIndex(of: "=") {
        given.append((String(word[..<equals]), String(word[word.index(after: equals)...])))
      } else if place + 1 < words.count, !words[place + 1].hasPrefix("--") {
        given.append((word, words[place + 1]))
      }
    }
    let counts = Dictionary(grouping: given, by: \.name).filter { $0.value.count > 1 }
    guard !counts.isEmpty else { return [] }
    // the parser itself knows which of them are flags, before which nothing is a value, and which may be repeated
    let help = Data((commands(in: arguments).last ?? RootCommand.self)._dumpHelp().utf8)
    let known = (try? JSONDecoder().decode(ParserHelp.self, from: help))?.command.arguments ?? []
    return known.filter { $0.kind == "option" }.flatMap { option -> [String] in
      let name = "--\(option.preferredName?.name ?? "")"
      guard let values = counts[name]?.map(\.value), let last = values.last else { return [] }
      // a sweep refuses settings that are given twice
      if option.isRepeating { return name == "--set" && arguments.first == "sweep" ? [] : overridden(among: values) }
      return values.first { $0 != last }.map { ["\(name) is given twice: \(last) holds, not \($0)"] } ?? []
    }
  }

  /// The assignments that a later one replaces: of the same key, or of what the key is a part of.
  private static func overridden(among assignments: [String]) -> [String] {
    func key(_ text: String) -> Substring { text.prefix { $0 != "=" } }
    return assignments.enumerated().compactMap { place, earlier in
      let later = assignments[(place + 1)...].last { key(earlier) == key($0) || key(earlier).hasPrefix(key($0) + ".") }
      guard let later, later != earlier else { return nil }
      return "\(key(later)) is set twice: \(later) holds, not \(earlier)"
    }
  }

  /// Which argument is empty, where that is what a command failed for: a name or a path that is empty cannot be seen in a
  /// message.
  ///
  /// - Returns: nil where none is, or where the message says so itself.
  static func complaint(ofEmpty arguments: [String], beside message: String) -> String? {
    guard let place = arguments.firstIndex(of: ""), !message.isEmpty, !message.contains("is empty"),
      !message.contains("\"\"")
    else { return nil }
    let before = place > 0 ? arguments[place - 1] : ""
    let help = ([Output.command] + commands(in: arguments).map { $0._commandName } + ["--help"]).joined(separator: " ")
    return
      "\(before.hasPrefix("--") ? before : "an argument") is empty: give a value; `\(help)` shows what can be given"
  }

  /// Why help about some words cannot be given, where they name no command; nil: it can.
  static func complaint(ofHelp arguments: [String]) -> String? {
    guard arguments.first == "help" else { return nil }
    let words = Array(arguments.dropFirst().prefix { !$0.hasPrefix("-") })
    let path = commands(in: words)
    let hasCommands = !(path.last ?? RootCommand.self).configuration.subcommands.isEmpty
    return hasCommands && path.count < words.count ? complaint("", about: words) : nil
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

/// What the parser tells of a command's arguments.
private struct ParserHelp: Decodable {
  struct Command: Decodable {
    var arguments: [Argument]?
  }

  struct Argument: Decodable {
    struct Name: Decodable {
      var name: String
    }

    var kind: String
    var isRepeating: Bool
    var preferredName: Name?
  }

  var command: Command
}

extension String {
  fileprivate var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}

/// Throws where a setting has an option of its own and is set with `--set` too.
func refuseTwice(_ flag: String, _ name: String, _ settings: [String]) throws {
  let isSet = settings.contains { $0.split(separator: "=").first?.split(separator: ".").first == Substring(name) }
  if isSet { throw ArgumentMismatch("\(flag) and --set \(name) set the same: leave one of them out") }
}
