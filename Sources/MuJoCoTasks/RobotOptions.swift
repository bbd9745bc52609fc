// RobotOptions.swift — the options that several robots have, by Gymnasium's names.

import Environments

/// Names that are declared in one place and read in another.
enum RobotOption {
  static let forwardRewardWeight = "forward_reward_weight"
  static let controlCostWeight = "ctrl_cost_weight"
  static let contactCostWeight = "contact_cost_weight"
  static let contactCostRange = "contact_cost_range"
  static let contactForceRange = "contact_force_range"
  static let impactCostWeight = "impact_cost_weight"
  static let impactCostRange = "impact_cost_range"
  static let healthyReward = "healthy_reward"
  static let terminateWhenUnhealthy = "terminate_when_unhealthy"
  static let healthyStateRange = "healthy_state_range"
  static let healthyHeightRange = "healthy_z_range"
  static let healthyAngleRange = "healthy_angle_range"
  static let mainBody = "main_body"
  static let resetNoiseScale = "reset_noise_scale"
  static let excludePositions = "exclude_current_positions_from_observation"
  static let includeInertias = "include_cinert_in_observation"
  static let includeVelocities = "include_cvel_in_observation"
  static let includeActuatorForces = "include_qfrc_actuator_in_observation"
  static let includeContactForces = "include_cfrc_ext_in_observation"
  static let distanceWeight = "reward_dist_weight"
  static let controlWeight = "reward_control_weight"
  static let nearWeight = "reward_near_weight"
  static let frameSkip = "frame_skip"
}

extension EnvironmentOption {
  static func frameSkip(_ value: Int) -> EnvironmentOption {
    .whole(RobotOption.frameSkip, value, in: 1...1000, "simulation steps in one control step")
  }

  static func forwardRewardWeight(_ value: Double) -> EnvironmentOption {
    .number(RobotOption.forwardRewardWeight, value, "weight of the speed forward")
  }

  static func controlCostWeight(_ value: Double) -> EnvironmentOption {
    .number(RobotOption.controlCostWeight, value, "weight of the squared action")
  }

  static func healthyReward(_ value: Double) -> EnvironmentOption {
    .number(RobotOption.healthyReward, value, "reward of a step that ends healthy")
  }

  static let terminateWhenUnhealthy = EnvironmentOption.flag(
    RobotOption.terminateWhenUnhealthy, true, "whether an episode ends when the robot is not healthy")

  static func healthyHeightRange(_ value: ClosedRange<Double>) -> EnvironmentOption {
    .interval(RobotOption.healthyHeightRange, value, "heights that are healthy, m")
  }

  static func healthyAngleRange(_ value: ClosedRange<Double>) -> EnvironmentOption {
    .interval(RobotOption.healthyAngleRange, value, "angles that are healthy, rad")
  }

  static func resetNoiseScale(_ value: Double) -> EnvironmentOption {
    .number(RobotOption.resetNoiseScale, value, in: 0...Double.infinity, "scale of the first state's noise")
  }

  static func excludePositions(_ what: String) -> EnvironmentOption {
    .flag(RobotOption.excludePositions, true, "whether \(what) is left out of the observation")
  }

  static let includeContactForces = EnvironmentOption.flag(
    RobotOption.includeContactForces, true, "whether contact forces are observed")
}

extension ClosedRange<Double> {
  /// Whether a number is within, and at neither bound.
  func holdsInside(_ value: Double) -> Bool { lowerBound < value && value < upperBound }

  /// The nearest number within.
  func clip(_ value: Double) -> Double { Swift.min(Swift.max(value, lowerBound), upperBound) }

  /// All numbers.
  static var all: ClosedRange<Double> { -.infinity ... .infinity }
}
