// main.swift — the program `offpolicy`: the library's program, with its allocations counted.

import AllocationCount
import OffPolicyProgram

Program.main(allocationCount: allocationCount)
