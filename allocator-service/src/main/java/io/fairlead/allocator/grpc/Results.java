package io.fairlead.allocator.grpc;

import io.fairlead.v1.Result;

/** What requests did, as messages say it. */
final class Results {
  private Results() {}

  static Result proto(io.fairlead.core.decide.Result result) {
    return switch (result) {
      case CREATED -> Result.CREATED;
      case CONFIGURED -> Result.CONFIGURED;
      case UNCHANGED -> Result.UNCHANGED;
      case DELETED -> Result.DELETED;
    };
  }
}
