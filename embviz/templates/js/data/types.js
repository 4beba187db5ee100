/**
 * The shapes of the values that the page's modules hand to each other; comments only. What Python writes is in
 * embviz/report/payload.py and docs/extending.md.
 *
 * @typedef {object} Manifest
 * @property {number} version
 * @property {string} title
 * @property {string} source
 * @property {string} command
 * @property {number} n_points
 * @property {number} total_points in the source
 * @property {string | null} label_by
 * @property {string | null} color_by
 * @property {Metric} metric
 * @property {2 | 3} dims
 * @property {number[]} isolated
 * @property {number[]} selected
 * @property {string[]} notes
 * @property {{name: string, kind: 'number' | 'text', block: string}[]} columns
 * @property {SpaceEntry[]} spaces
 * @property {Entry[]} projections
 * @property {Record<string, string>} captions what may be read from a picture, by its method or kind
 * @property {string} first the key of the tab that is open first
 * @property {SpriteEntry | null} sprite
 * @property {StepsEntry | null} steps states of the points, where there are several
 * @property {any} comparison what changed between two of them, see embviz/report/steps.py
 * @property {Partition[]} [partitions] ways in which the points are parted
 * @property {{sentences: string[]}} [summary] what the picture shows, in a few sentences
 * @property {ListsEntry | null} neighbors the nearest of each point, where vectors do not travel
 * @property {{max: number, left_out: string[]}} size megabytes at most, and what did not fit
 * @property {{n_all: number, weights: string | null, caption: string}} [sample] of how many points these are some,
 *   and the column that says how many each stands for
 * @property {DensityEntry[]} [densities] how many of all points lie in each cell of a grid over a picture in 2D
 * @property {Record<string, BlockEntry>} blocks
 *
 * @typedef {{of: string, low: number[], high: number[], shape: number[], n_points: number, counts: string,
 *   caption: string, caption_3d: string}} DensityEntry
 *
 * @typedef {'cosine' | 'euclidean'} Metric
 *
 * @typedef {object} Partition a way in which the points are parted, see docs/extending.md; one that the page
 *   finds in a column has neither figures nor names of its own
 * @property {string} column whose values the groups are
 * @property {'clusters' | 'classes'} kind
 * @property {boolean} [drawn] whether its names are drawn on the map
 * @property {string | null} [of] the key of the projection that it was found in
 * @property {number | null} [dims] of that
 * @property {string[]} [names]
 * @property {number[]} [sizes]
 * @property {(number | null)[]} [inside] the share of the neighbors of a group's points that lie in it
 * @property {[number, number][][]} [toward] other groups, with the share of these neighbors that lie there
 * @property {number[][]} [typical] rows
 * @property {number} [neighbors] of each point that are looked at
 *
 * @typedef {object} SpaceEntry
 * @property {string} key
 * @property {string} tensor
 * @property {number} n_dims
 * @property {string} dtype
 * @property {{scale: number, exact?: boolean} | null} vectors null where they do not travel
 * @property {string} vectors_note
 * @property {string[]} blocks of its vectors, and of their scales where they have some
 *
 * @typedef {object} StepsEntry
 * @property {'run' | 'comparison'} kind
 * @property {string} caption what may be read from them
 * @property {string} caption_laid the same of components that lie on those of the next state
 * @property {string[]} names
 * @property {string[]} spaces the key of each step's
 * @property {string | null} present a block, which points are there at a step
 * @property {Record<string, (number | null)[]>} figures
 *
 * @typedef {{k: number, metric: Metric, recall: number, scale: number, indices: string, distances: string}} ListsEntry
 *   two blocks (k, steps or 1, n_points)
 *
 * @typedef {object} SpriteEntry
 * @property {string} mime
 * @property {number} tile_width
 * @property {number} tile_height
 * @property {number} columns
 * @property {number} [sheets]
 * @property {boolean} ink
 * @property {boolean} by_row
 *
 * @typedef {object} BlockEntry
 * @property {string} dtype
 * @property {number[]} [shape]
 * @property {number[]} [offset]
 * @property {number[]} [step]
 * @property {number[]} [values]
 * @property {boolean} [delta]
 */

/**
 * A projection, of the manifest or computed in the page.
 *
 * @typedef {object} Entry
 * @property {string} key of its tab
 * @property {string} method
 * @property {string} title
 * @property {'linear' | 'map'} kind
 * @property {number} n_components
 * @property {string[]} axes titles of its components, none where they mean nothing
 * @property {Params} params
 * @property {Stats} stats
 * @property {Float32Array} [data] (n_points, n_components) row by row
 * @property {string} [coordinates] the block of its data
 * @property {number[]} [grain] the step that each component was rounded to, none where they travel as they are
 * @property {string} [directions] the block of the directions of its axes
 * @property {Frames} [frames]
 * @property {Float32Array} [frameData] (frames, n_points, n_components)
 * @property {boolean} [isOfSteps] whether the frames are the steps of the page
 * @property {{name: string, block: string, about?: string}[]} [per_point] about: what may be read from it
 * @property {boolean} [pending] whether it is still to be computed here
 * @property {number} [id] where the page computed it
 * @property {boolean} [live] whether the run goes on; undefined where there was none
 * @property {string} [note] what the caption says of it
 * @property {string} [failed] why it could not be computed
 *
 * @typedef {Record<string, any> & {axes?: GivenAxis[], normalize?: string, unit?: number}} Params
 * @typedef {Record<string, any> & {quality?: Record<number, Record<string, any>>}} Stats
 * @typedef {{block?: string, unit: string, steps: string[], figures: Record<string, (number | null)[]>,
 *   bounds?: {min: number[], max: number[]}}} Frames `bounds` of the steps of the page
 *
 * @typedef {{from: string, to: string}} Axis queries
 * @typedef {Axis & {column: string | null}} ShownAxis with the column that its queries search
 * @typedef {Partial<Axis> & {n_from?: number, n_to?: number, column?: string | null}} GivenAxis
 * @typedef {{title: string, low: string, high: string}} AxisTitle
 * @typedef {{from: string, to: string, direction: Float32Array, n_from: number, n_to: number,
 *   column?: string | null, space?: string}} CarriedAxis
 */

/**
 * A tab: the entries of one key, one for each number of dimensions.
 *
 * @typedef {object} Tab
 * @property {string} key
 * @property {string} method
 * @property {string} title
 * @property {'linear' | 'map'} kind
 * @property {Entry[]} entries
 * @property {'' | 'components' | 'axes' | 'run'} role what its reader can do there
 * @property {boolean} isOwn whether the page computes it anew as the state says
 */

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {'number' | 'text'} kind
 * @property {string[]} values
 * @property {() => Float64Array} numbers NaN where the value is missing or no finite number
 * @property {boolean} [measured] whether it is no metadata, but what was measured of the points
 * @property {Float32Array} [exact] what was measured, with all its digits
 * @property {string} [about] what may be read from it
 * @property {boolean} [isPointed] whether it is the distance to the point that is pointed at
 * @property {string[]} [of] the columns that it is made of
 * @property {string} [none] what points are called that have no value
 * @property {{wrong: Float32Array, missing: Float32Array}} [faults] of each point, 0 for none, NaN where not measured
 *
 * @typedef {object} Table
 * @property {number} n_points
 * @property {number | undefined} n_dims
 * @property {Map<string, Column>} columns as they are tagged
 * @property {Map<string, Column>} measured
 * @property {(name: string | null) => Column | undefined} column
 * @property {Int32Array | null} rows of the source; null where they are those of the page
 * @property {string | null} labelColumn
 * @property {(i: number) => number} rowNumber
 * @property {(i: number, name?: string | null) => string} label
 *
 * @typedef {{column: string, value: string, rows: number[] | Int32Array}} Tag
 */

/**
 * The vectors that travel: row i's value j is data[i * d + j] * scale * (scales ? scales[i] : 1).
 *
 * @typedef {Float32Array | Int8Array | Uint8Array | Int16Array | Uint16Array} Stored
 * @typedef {{data: Stored, n: number, d: number, scales: Float32Array | null, scale: number, unit?: number,
 *   mean?: Float64Array | null, present?: Uint8Array}} Vectors `present` is 0 where a row stands for no point
 * @typedef {Vectors & {unit: number}} SafeVectors in a safe unit, see numbers/unit.js
 */

/**
 * How many of all points lie in each cell of a grid over a picture, see drawing/cells.js.
 *
 * @typedef {object} Grid
 * @property {number} width cells
 * @property {number} height
 * @property {number[]} low its corner (x, y), in the coordinates of the picture
 * @property {number[]} cell the sides of a cell
 * @property {number} n_points how many were placed
 * @property {Float64Array} sums (height + 1, width + 1) of all cells below and to the left of a corner
 * @property {number[]} most points in a square of 1, 4, 16 … cells
 */

/**
 * States of the points; a list has an item a step.
 *
 * @typedef {object} Steps
 * @property {'run' | 'comparison'} kind
 * @property {string[]} names
 * @property {Record<string, (number | null)[]>} figures
 * @property {SpaceEntry[]} spaces
 * @property {(Uint8Array | null)[]} present 1 for each point that is there; null where all are
 * @property {(Vectors | null)[]} vectors
 * @property {(Table | null)[]} tables with the columns of the step; null where they are those of the page
 * @property {boolean} isLoaded whether the places at all steps are there
 */

/**
 * The nearest neighbors that came with the page; an item a step, or one. Each is (n_points, k), -1 where a point has
 * none.
 *
 * @typedef {{k: number, metric: Metric, recall: number, indices: Int32Array[], distances: Float64Array[]}} Lists
 */

/**
 * What changed between two states of the points; a compared point has a place in the arrays, see
 * embviz/comparison/values.py.
 *
 * @typedef {object} Changes
 * @property {[string, string]} names
 * @property {string} matched_by
 * @property {Metric} metric
 * @property {number} n_matched
 * @property {number} n_compared
 * @property {number} only_a
 * @property {number} only_b
 * @property {{a: string[], b: string[]}} only_names
 * @property {Record<string, number | null>} figures
 * @property {Record<string, Record<string, Record<string, number>>>} by_group
 * @property {{name: string, score: number, rows: number[], came: number[], left: number[]}[]} groups
 * @property {string} no_groups why there are none
 * @property {Int32Array} rows the points that were compared
 * @property {Int32Array} places of each point among those, -1 where it was not compared
 * @property {Float32Array} overlap10
 * @property {Float32Array | null} overlap50
 * @property {Float32Array} displacement
 * @property {Int32Array} ranks_in_b (n_compared, 10)
 * @property {Int32Array} ranks_in_a
 * @property {Uint8Array} left
 * @property {Uint8Array} came
 */

/**
 * What a file holds, opened.
 *
 * @typedef {object} Page
 * @property {Manifest} manifest
 * @property {SpaceEntry} space
 * @property {Table} table
 * @property {Map<string, Tab>} tabs
 * @property {Vectors | null} vectors of the last step, where there are steps
 * @property {Steps | null} steps
 * @property {Map<string, Grid>} densities of all points, by the key of their projection
 * @property {Lists | null} lists the nearest neighbors of each point that came with the page
 * @property {Changes | null} changes what changed between two steps
 * @property {any} sprite see plot/thumbnail.js
 * @property {CarriedAxis[]} carried axes whose directions came with the page
 * @property {string[]} [imageLinks]
 * @property {boolean} partial whether the source has more points
 * @property {boolean} [isWide] whether there is room for two maps side by side
 * @property {() => Worker} startWorker
 */

/**
 * @typedef {object} State
 * @property {string} projection
 * @property {number} dims 2 or 3
 * @property {number[]} components
 * @property {number | null} frame
 * @property {boolean} playing
 * @property {number} step of the points' states, from 0; a fraction lies between two
 * @property {boolean} stepping whether they are played
 * @property {number} speed of playing, steps a second
 * @property {boolean} trail whether selected points show the places where they were
 * @property {RunStatus | null} run
 * @property {Found[]} components_here what the page has computed of the points and vectors asked for
 * @property {boolean} arrived whether all that comes after the first picture is there
 * @property {boolean} spherize
 * @property {Axis[]} axes as they are typed
 * @property {ShownAxis[]} shown_axes as they are drawn, see state/axes.js
 * @property {string | null} label_by
 * @property {string | null} color_by
 * @property {ColorAs} color_as
 * @property {number[]} hidden
 * @property {string} query
 * @property {string | null} column
 * @property {Int32Array} selected
 * @property {Int32Array | null} isolated
 * @property {Placed | null} placed
 * @property {number} hovered
 * @property {number} pointed the point that distances shown as colors are from, -1 for none
 * @property {Tag[]} tags
 * @property {number | null} highlight
 * @property {Int32Array | null} walked points that are pointed out by what has the focus in the outline
 * @property {boolean} sequences
 * @property {Sphere | null} sphere
 * @property {boolean} loop
 * @property {number} k
 * @property {Metric} metric
 * @property {boolean} thumbnails
 * @property {boolean} caption whether the picture says what may be read from it
 * @property {boolean} names whether groups are named in the picture
 * @property {boolean} density whether the density of all points is drawn under those of a sample
 * @property {boolean} contours whether classes have outlines where their points lie thick
 * @property {'few' | 'many' | 'none'} labels
 * @property {'pan' | 'box' | 'lasso' | 'sphere'} tool
 * @property {'side' | 'one'} layout of the maps of a comparison
 * @property {'system' | 'light' | 'dark'} theme
 * @property {boolean} dark
 * @property {boolean} help
 *
 * @typedef {{isolated: Int32Array | null, spherize: boolean, vectors: Vectors[], entry: Entry, isDone: boolean}} Found
 *   PCA anew; until it is done its entry is the file's with a note
 * @typedef {'auto' | 'categories' | 'gradient' | 'log'} ColorAs
 * @typedef {{name: string, dims: number, data: Float32Array}} Placed places that a bookmark brought along
 * @typedef {{row: number, radius: number}} Sphere
 * @typedef {'replace' | 'add' | 'remove' | 'intersect'} Mode
 *
 * @typedef {object} RunStatus
 * @property {number} id
 * @property {string} name of the tab
 * @property {number} points
 * @property {number} dims
 * @property {number} iterations
 * @property {'running' | 'paused' | 'done'} status
 * @property {string} doing what is done before the first step
 * @property {number} iteration
 * @property {number | null} kl
 * @property {number} [perturbed]
 * @property {{column: string, factor: number, ignore?: string} | null} [supervise]
 */

/**
 * @template S
 * @typedef {object} Store
 * @property {() => S} get
 * @property {(patch: Partial<S>) => void} set
 * @property {(fn: (state: S, before: S) => void) => () => void} subscribe
 */
export {};
