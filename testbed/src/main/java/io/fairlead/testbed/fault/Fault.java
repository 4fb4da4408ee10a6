package io.fairlead.testbed.fault;

import io.fairlead.testbed.cluster.AllocationCluster;
import java.util.Random;

/** What is done to a cluster; {@link AllocationCluster#heal} undoes each. */
public enum Fault {
  OWNER_KILLED {
    @Override
    public void hurt(AllocationCluster cluster, Random random) {
      cluster.allocators().get(cluster.owner()).kill();
    }
  },
  REPLICA_KILLED {
    @Override
    public void hurt(AllocationCluster cluster, Random random) {
      cluster.allocators().get(random.nextInt(AllocationCluster.SIZE)).kill();
    }
  },
  /** SIGTERM: what runs is answered. */
  OWNER_STOPPED {
    @Override
    public void hurt(AllocationCluster cluster, Random random) {
      cluster.allocators().get(cluster.owner()).stop();
    }
  },
  /** Until all its leases have run out and another owns; it wakes when the cluster heals. */
  OWNER_PAUSED {
    @Override
    public void hurt(AllocationCluster cluster, Random random) {
      int owner = cluster.owner();
      cluster.allocators().get(owner).pause();
      cluster.ownerOtherThan(owner);
    }
  },
  ETCD_LEADER_KILLED {
    @Override
    public void hurt(AllocationCluster cluster, Random random) {
      cluster.killEtcd(cluster.etcdLeader());
    }
  },
  ETCD_MAJORITY_KILLED {
    @Override
    public void hurt(AllocationCluster cluster, Random random) {
      int first = random.nextInt(AllocationCluster.SIZE);
      cluster.killEtcd(first);
      cluster.killEtcd((first + 1) % AllocationCluster.SIZE);
    }
  },
  ETCD_WIPED {
    @Override
    public void hurt(AllocationCluster cluster, Random random) {
      cluster.wipeEtcd();
    }
  },
  BROKER_KILLED {
    @Override
    public void hurt(AllocationCluster cluster, Random random) {
      cluster.killBroker(random.nextInt(AllocationCluster.SIZE));
    }
  },
  BROKER_PAUSED {
    @Override
    public void hurt(AllocationCluster cluster, Random random) {
      cluster.pauseBroker(random.nextInt(AllocationCluster.SIZE));
    }
  },
  KAFKA_MAJORITY_KILLED {
    @Override
    public void hurt(AllocationCluster cluster, Random random) {
      int first = random.nextInt(AllocationCluster.SIZE);
      cluster.killBroker(first);
      cluster.killBroker((first + 1) % AllocationCluster.SIZE);
    }
  };

  /** Returns when it is done; what the seed decides is drawn at once. */
  public abstract void hurt(AllocationCluster cluster, Random random);
}
