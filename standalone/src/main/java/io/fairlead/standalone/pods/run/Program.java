package io.fairlead.standalone.pods.run;

import java.nio.file.Path;
import java.util.List;

/** What a container's image and command come to on a machine without images. */
sealed interface Program {
  /**
   * It runs.
   *
   * @param words the program and its arguments, references not expanded yet
   */
  record Runs(List<String> words, List<Mount> mounts) implements Program {
    public Runs {
      words = List.copyOf(words);
      mounts = List.copyOf(mounts);
    }
  }

  /**
   * It cannot run, however often one tries.
   *
   * @param reason one word, as the state of a container has it in Kubernetes
   * @param message what to do instead
   */
  record Refused(String reason, String message) implements Program {}

  /**
   * A file or directory that the container sees read-only in another place.
   *
   * @param target exists, and is of the same kind
   */
  record Mount(Path source, Path target) {}
}
