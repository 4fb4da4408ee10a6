package io.fairlead.agent.nft;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.fairlead.agent.nft.Foreign.CallFailed;
import io.fairlead.agent.ruleset.Command;
import io.fairlead.agent.ruleset.CommandText;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.agent.ruleset.TableContents;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * nftables in process: the system's libnftables through foreign calls, one context. Confined to the
 * thread that made it, whose network namespace it works in. Only {@link CommandText}'s own text is
 * ever passed in: libnftables ends the whole process on some texts that it cannot translate.
 */
@SuppressWarnings(
    "restricted") // foreign calls are what this is for; the process is started with native access
// enabled
final class LibNft implements NftGateway {
  private static final String LIBRARY = "libnftables.so.1";
  private static final int JSON = 1 << 4; // NFT_CTX_OUTPUT_JSON in nftables/libnftables.h
  private static final int NETLINK_NETFILTER = 12;
  private static final short GET_GENERATION = 10 << 8 | 16; // NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN
  private static final short NEW_GENERATION = 10 << 8 | 15;
  private static final int WORDS = 300;

  private final Arena arena = Arena.ofConfined();
  private final Foreign foreign;
  private final MethodHandle run;
  private final MethodHandle setFlags;
  private final MethodHandle output;
  private final MethodHandle error;
  private final MethodHandle free;
  private final MemorySegment context;
  private final int netlink;
  private int sequence;

  private LibNft(Foreign foreign, SymbolLookup library) throws CallFailed {
    this.foreign = foreign;
    this.run =
        Foreign.function(
            library, "nft_run_cmd_from_buffer", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
    this.setFlags =
        Foreign.function(
            library, "nft_ctx_output_set_flags", FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT));
    this.output =
        Foreign.function(
            library, "nft_ctx_get_output_buffer", FunctionDescriptor.of(ADDRESS, ADDRESS));
    this.error =
        Foreign.function(
            library, "nft_ctx_get_error_buffer", FunctionDescriptor.of(ADDRESS, ADDRESS));
    this.free = Foreign.function(library, "nft_ctx_free", FunctionDescriptor.ofVoid(ADDRESS));
    var create = Foreign.function(library, "nft_ctx_new", FunctionDescriptor.of(ADDRESS, JAVA_INT));
    var bufferOutput =
        Foreign.function(
            library, "nft_ctx_buffer_output", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    var bufferError =
        Foreign.function(library, "nft_ctx_buffer_error", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    try {
      this.context = (MemorySegment) create.invokeExact(0);
      if (context.address() == 0) {
        throw new GatewayException(
            Outcome.KNOWN_FAILED, LIBRARY + " gave no context: is there memory left?");
      }
      int failed = (int) bufferOutput.invokeExact(context) | (int) bufferError.invokeExact(context);
      if (failed != 0) {
        throw new GatewayException(
            Outcome.KNOWN_FAILED, LIBRARY + " has no memory for its buffers");
      }
    } catch (GatewayException e) {
      throw e;
    } catch (Throwable e) {
      throw Foreign.unexpected(e);
    }
    this.netlink = foreign.netlink(NETLINK_NETFILTER);
  }

  /**
   * Loads the library and checks that it can do what is needed.
   *
   * @throws GatewayException KNOWN_FAILED with what is missing and what to do about it
   */
  static LibNft open(Foreign foreign) {
    SymbolLookup library;
    try {
      library = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new GatewayException(
          Outcome.KNOWN_FAILED,
          LIBRARY + " was not found: install nftables (Debian, Ubuntu: package libnftables1)",
          e);
    }
    LibNft nft;
    try {
      nft = new LibNft(foreign, library);
    } catch (CallFailed e) {
      throw new GatewayException(
          Outcome.KNOWN_FAILED,
          "no netlink socket to nftables: does this kernel have nf_tables?",
          e);
    }
    try {
      nft.check();
      return nft;
    } catch (RuntimeException e) {
      nft.close();
      throw e;
    }
  }

  private void check() {
    String tables;
    try {
      tables = list("list tables", JSON);
    } catch (GatewayException e) {
      throw new GatewayException(
          Outcome.KNOWN_FAILED,
          "nftables cannot be used; the agent needs root or CAP_NET_ADMIN: " + e.getMessage(),
          e);
    }
    // only the JSON tells the version; without it, creating the tables decides
    var version = Listing.version(tables);
    if (version.isPresent() && Arrays.compare(numbers(version.get()), numbers("1.0.6")) < 0) {
      throw new GatewayException(
          Outcome.KNOWN_FAILED,
          LIBRARY + " is version " + version.get() + "; 1.0.6 or newer is needed");
    }
  }

  private static int[] numbers(String version) {
    return Arrays.stream(version.split("[^0-9]+"))
        .filter(p -> !p.isEmpty())
        .mapToInt(Integer::parseInt)
        .toArray();
  }

  @Override
  public void commit(Layout layout, List<Command> commands) {
    execute(CommandText.render(layout, commands), 0);
  }

  @Override
  public Optional<TableContents> read(Layout layout) {
    var name = layout.nftFamily() + " " + CommandText.TABLE;
    if (list("list tables " + layout.nftFamily(), 0).lines().noneMatch(("table " + name)::equals)) {
      return Optional.empty();
    }
    return Optional.of(Listing.contents(list("list table " + name, 0)));
  }

  /** One map of our table, without the rest; the table must exist. Costs what the map holds. */
  TableContents readMap(Layout layout, String map) {
    return Listing.contents(
        list("list map " + layout.nftFamily() + " " + CommandText.TABLE + " " + map, 0));
  }

  @Override
  public OptionalLong generation() {
    try (var call = Arena.ofConfined()) {
      var request = call.allocate(20, 4);
      request.set(JAVA_INT, 0, 20);
      request.set(JAVA_SHORT, 4, GET_GENERATION);
      request.set(JAVA_SHORT, 6, (short) 1); // NLM_F_REQUEST
      request.set(JAVA_INT, 8, ++sequence);
      foreign.send(netlink, request);
      var answer = call.allocate(4096, 4);
      int length = foreign.receive(netlink, answer);
      while (length >= 20 && answer.get(JAVA_INT, 8) != sequence) {
        length = foreign.receive(netlink, answer); // after a late answer to an earlier question
      }
      if (length < 20 || answer.get(JAVA_SHORT, 4) != NEW_GENERATION) {
        return OptionalLong.empty();
      }
      for (int at = 20; at + 8 <= length; ) {
        int size = Short.toUnsignedInt(answer.get(JAVA_SHORT, at));
        if (answer.get(JAVA_SHORT, at + 2) == 1) { // NFTA_GEN_ID
          return OptionalLong.of(
              Integer.toUnsignedLong(
                  answer.get(JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN), at + 4)));
        }
        at += Math.max(4, (size + 3) / 4 * 4);
      }
      return OptionalLong.empty();
    } catch (CallFailed _) { // the caller only loses a shortcut
      return OptionalLong.empty();
    }
  }

  private String list(String command, int flags) {
    return execute(command, flags);
  }

  private String execute(String text, int flags) {
    try (var call = Arena.ofConfined()) {
      setFlags.invokeExact(context, flags);
      int result = (int) run.invokeExact(context, nullTerminated(call, text));
      var printed = read((MemorySegment) output.invokeExact(context));
      var words = read((MemorySegment) error.invokeExact(context));
      if (result != 0) {
        throw new GatewayException(Outcome.KNOWN_FAILED, words(words));
      }
      return printed;
    } catch (GatewayException e) {
      throw e;
    } catch (Throwable e) {
      throw Foreign.unexpected(e);
    }
  }

  private static MemorySegment nullTerminated(Arena arena, String text) {
    var bytes = text.getBytes(StandardCharsets.US_ASCII);
    var segment = arena.allocate(bytes.length + 1L);
    MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
    return segment;
  }

  private static String read(MemorySegment pointer) {
    return pointer.address() == 0 ? "" : pointer.reinterpret(Long.MAX_VALUE).getString(0);
  }

  /** The sentences of an error, without the echo of the commands: these may be long. */
  private static String words(String error) {
    var sentences =
        error
            .lines()
            .filter(line -> line.contains("Error: "))
            .map(line -> line.substring(line.indexOf("Error: ") + "Error: ".length()))
            .distinct()
            .limit(3)
            .collect(Collectors.joining("; "));
    var all = sentences.isEmpty() ? error.strip() : sentences;
    return all.isEmpty()
        ? "refused without words"
        : all.substring(0, Math.min(WORDS, all.length()));
  }

  @Override
  public void close() {
    try {
      free.invokeExact(context);
    } catch (Throwable e) {
      throw Foreign.unexpected(e);
    }
    foreign.close(netlink);
    arena.close();
  }
}
