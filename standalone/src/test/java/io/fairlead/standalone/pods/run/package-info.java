@NullMarked
package io.fairlead.standalone.pods.run;

import org.jspecify.annotations.NullMarked;
