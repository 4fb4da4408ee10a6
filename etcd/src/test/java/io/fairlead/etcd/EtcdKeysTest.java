package io.fairlead.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.core.run.GatewayException;
import io.fairlead.etcd.Coordination.Member;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class EtcdKeysTest {
  private static final String KEY = "/fairlead/v1/members/allocator/a";

  @Test
  void aMemberThatDoesNotSayItsFeatureLevelSupportsTheFirst() {
    assertThat(EtcdKeys.member(KEY, "a", "a:7401 0.1 ready"))
        .isEqualTo(new Member("a", "a:7401", "0.1", true, 1));
    var member = new Member("a", "a:7401", "0.2", false, 12);
    assertThat(EtcdKeys.member(KEY, "a", EtcdKeys.memberValue(member) + " more")).isEqualTo(member);
    assertThatThrownBy(() -> EtcdKeys.member(KEY, "a", "a:7401 0.1 ready many"))
        .isInstanceOf(GatewayException.class)
        .hasMessageContaining(KEY);
  }
}
