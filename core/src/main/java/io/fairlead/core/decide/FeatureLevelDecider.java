package io.fairlead.core.decide;

import io.fairlead.core.decide.ServiceOutcome.FeatureLevelRaised;
import io.fairlead.core.decide.ServiceOutcome.Refused;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.record.Change;
import java.util.List;
import java.util.OptionalLong;

/** Decides on the feature level of the log: pure. It only ever grows. */
final class FeatureLevelDecider {
  private FeatureLevelDecider() {}

  static Decision<ServiceOutcome> raise(
      ClusterImage image, ServiceCommand.RaiseFeatureLevel raise, ServicesContext context) {
    int before = image.featureLevel();
    if (raise.level() == before) {
      var version =
          image
              .level()
              .map(stored ->
                  stored.isPending() ? OptionalLong.empty() : OptionalLong.of(stored.offset()));
      return Decision.answer(
          new FeatureLevelRaised(Result.UNCHANGED, before, version.orElseGet(OptionalLong::empty)));
    }
    if (raise.level() < before) {
      var words = "the log has feature level %d, which is never lowered".formatted(before);
      return refuse(
          new Refusal.Invalid(
              FeatureLevel.KEY, List.of(new Violation("level", Violation.Reason.INVALID, words))));
    }
    if (!raise.unsupported().isEmpty()) {
      return refuse(new Refusal.UnsupportedFeatureLevel(raise.level(), raise.unsupported()));
    }
    var uid = // it stays one object, however often it is raised
        image.level().map(stored -> stored.object().uid()).orElseGet(() -> context.random().uuid());
    return Decision.of(
        List.of(new Change.Put(new FeatureLevel(raise.level(), uid))),
        new FeatureLevelRaised(Result.CONFIGURED, raise.level(), OptionalLong.empty()));
  }

  private static Decision<ServiceOutcome> refuse(Refusal refusal) {
    return Decision.answer(new Refused(refusal));
  }
}
