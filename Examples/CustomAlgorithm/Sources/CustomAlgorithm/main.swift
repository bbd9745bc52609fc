// main.swift — the whole program with an algorithm of one's own: CustomAlgorithm train plain-td3 Pendulum-v1, resume, list, …

import OffPolicyProgram

Program.main(algorithms: [PlainTD3.entry])
