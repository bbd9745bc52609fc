// main.swift — the whole program for an environment of one's own: CustomTask train sac Cart-v0, resume, evaluate, list, …

import CartTask
import OffPolicyProgram

Program.main(environments: [Cart.entry])
