// MeantNames.swift — suggests the hyperparameter that an unknown name probably meant: a typing error, or another library's name.

import Environments

/// Names of Stable-Baselines3, CleanRL and Spinning Up, in small letters without strokes, and what they are called here.
private let elsewhere = [
  "actorhiddendims": "policyHiddenSizes", "actorhiddensizes": "policyHiddenSizes", "adameps": "adamEpsilon",
  "beta1": "adamBeta1", "beta2": "adamBeta2", "betas": "adamBeta1", "clipgradnorm": "maximumGradientNorm",
  "criticcriterion": "huberThreshold", "critichiddendims": "criticHiddenSizes", "eps": "adamEpsilon",
  "gradclip": "maximumGradientNorm", "gradclipnorm": "maximumGradientNorm", "gradientclipnorm": "maximumGradientNorm",
  "gradnormclipping": "maximumGradientNorm", "hiddendims": "hiddenSizes", "huberdelta": "huberThreshold",
  "lrdecay": "learningRateSchedule", "lrschedule": "learningRateSchedule", "lrscheduler": "learningRateSchedule",
  "maxgradnorm": "maximumGradientNorm", "optimizereps": "adamEpsilon", "qfhiddensizes": "criticHiddenSizes",
  "activation": "policyActivation", "activationfn": "policyActivation", "dropout": "criticDropout",
  "dropoutrate": "criticDropout", "layernorm": "criticNormalization", "ncritics": "critics", "nquantiles": "quantiles",
  "numquantiles": "quantiles", "numq": "critics", "policyupdatedelay": "policyDelay",
  "topquantilestodroppernet": "droppedQuantiles", "utdratio": "updatesPerStep",
  "actionnoise": "explorationNoise", "alpha": "temperature", "buffersize": "bufferCapacity", "entcoef": "temperature",
  "explorationfinaleps": "finalEpsilon", "explorationfraction": "epsilonSteps",
  "explorationinitialeps": "initialEpsilon",
  "gamma": "discount", "gradientsteps": "updatesPerStep", "learningstarts": "randomSteps", "netarch": "hiddenSizes",
  "noiseclip": "targetNoiseClip", "normalizeobservation": "normalizeObservations", "normalizereward": "scaleRewards",
  "normalizerewards": "scaleRewards", "normobs": "normalizeObservations", "normreward": "scaleRewards",
  "policyfrequency": "policyDelay", "policynoise": "targetNoise",
  "replaysize": "bufferCapacity", "startsteps": "randomSteps", "starttimesteps": "randomSteps",
  "targetnetworkfrequency": "targetTracking", "targetpolicynoise": "targetNoise",
  "targetupdateinterval": "targetTracking", "tau": "targetTracking", "trainfreq": "updateEvery",
  "trainfrequency": "updateEvery",
]

/// The hyperparameters that an unknown name probably meant: the same setting of another library, or the most similar name.
package func meantNames(by name: String, among names: [String]) -> [String] {
  let plain = name.lowercased().filter { $0 != "_" && $0 != "-" }
  if let known = elsewhere[plain], names.contains(known) { return [known] }
  if let near = nearestName(to: plain, among: names) { return [near] }
  // learning_rate, lr: there is one for each network
  return plain == "lr" || plain == "learningrate" ? names.filter { $0.hasSuffix("LearningRate") } : []
}

/// The most similar of some names, if one is similar enough.
package func nearestName(to name: String, among names: [String]) -> String? {
  let candidates = names.map { (name: $0, distance: editDistance(name.lowercased(), $0.lowercased())) }
  guard let best = candidates.min(by: { $0.distance < $1.distance }) else { return nil }
  return best.distance <= max(2, name.count / 3) ? best.name : nil
}
