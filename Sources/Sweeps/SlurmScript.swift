// SlurmScript.swift — writes a sweep as a job array for Slurm: each job trains one run, and resumes it when it is queued again.

/// A script for `sbatch`.
package struct SlurmScript: Sendable {
  package var name: String
  /// Runs.
  package var count: Int
  /// Runs at the same time; nil: as many as there is room for.
  package var jobs: Int?
  /// Threads of a run.
  package var threads: Int
  /// The command that continues the sweep; the script adds the number of a run.
  package var command: [String]

  package init(name: String, count: Int, jobs: Int?, threads: Int, command: [String]) {
    (self.name, self.count, self.jobs, self.threads, self.command) = (name, count, jobs, threads, command)
  }

  package var text: String {
    let limit = jobs.map { "%\($0)" } ?? ""
    return """
      #!/bin/bash
      # One job for each of \(count) runs. A job that is ended before its run is done saves it and is queued again.
      #SBATCH --job-name=\(name)
      #SBATCH --array=0-\(max(0, count - 1))\(limit)
      #SBATCH --ntasks=1
      #SBATCH --cpus-per-task=\(threads)
      #SBATCH --mem=4G
      #SBATCH --time=24:00:00
      #SBATCH --requeue
      #SBATCH --open-mode=append
      #SBATCH --signal=B:TERM@120
      set -u
      \(command.joined(separator: " ")) --only "$SLURM_ARRAY_TASK_ID" &
      run=$!
      trap 'kill -TERM "$run"' TERM
      wait "$run"
      status=$?
      # a trap ends the first wait: the second one waits until everything is saved
      if kill -0 "$run" 2>/dev/null; then
        wait "$run"
        status=$?
      fi
      if [ "$status" -eq 143 ] && command -v scontrol >/dev/null; then
        scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
      fi
      exit "$status"

      """
  }
}
