"""Write checkpoints of every kind with the real TensorFlow, and what it reads back from them.

Run as a script in a process of its own: `python tf_checkpoints.py FOLDER`. Each kind is a folder;
`oracle.json` and `oracle.bin` hold names, shapes, types and bytes as TensorFlow gives them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", TF_ENABLE_ONEDNN_OPTS="0")

import ml_dtypes
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
ROWS, COLUMNS = 100, 8
TABLE = np.random.default_rng(7).normal(size=(ROWS, COLUMNS)).astype(np.float32)
DTYPES = (
    *("float16", "float32", "float64", "int8", "int16", "int32", "int64", "bool"),
    *("uint8", "uint16", "uint32", "uint64", "complex64"),
)
SMALL_DTYPES = ("bfloat16", "float8_e4m3fn", "float8_e5m2")
TF1_OPTIMIZERS = {
    "adam": lambda: v1.train.AdamOptimizer(0.1),
    "adagrad": lambda: v1.train.AdagradOptimizer(0.1),
    "rmsprop": lambda: v1.train.RMSPropOptimizer(0.1),
    "momentum": lambda: v1.train.MomentumOptimizer(0.1, 0.9),
    "ftrl": lambda: v1.train.FtrlOptimizer(0.1),
    "adadelta": lambda: v1.train.AdadeltaOptimizer(0.1),
}
KERAS3_OPTIMIZERS = (
    *("Adam", "AdamW", "Adamax", "Nadam", "SGD", "RMSprop", "Adagrad", "Adadelta", "Ftrl"),
    *("Lion", "Lamb", "Adafactor"),
)


def write_tf1(folder: Path, optimizer: str = "adam", n_parts: int = 1, axis: int = 0, **saver):
    """Train one step of a graph with a table and save it: P.index or, with version=V1, P."""
    folder.mkdir()
    version = saver.pop("version", v1.train.SaverDef.V2)
    part = v1.fixed_size_partitioner(n_parts, axis=axis) if n_parts > 1 else None
    with tf.Graph().as_default(), v1.Session() as session:
        with v1.variable_scope("model"):
            table = v1.get_variable(
                "word_embedding",
                (ROWS, COLUMNS),
                partitioner=part,
                initializer=lambda shape, dtype, partition_info=None: tf.constant(
                    TABLE
                    if partition_info is None
                    else TABLE[
                        tuple(
                            slice(o, o + n)
                            for o, n in zip(partition_info.var_offset, shape, strict=True)
                        )
                    ]
                ),
            )
            kernel = v1.get_variable("dense/kernel", (COLUMNS, ROWS))
        step = v1.train.get_or_create_global_step()
        loss = v1.reduce_sum(tf.matmul(tf.convert_to_tensor(table), kernel) ** 2)
        train = TF1_OPTIMIZERS[optimizer]().minimize(loss, global_step=step)
        average = v1.train.ExponentialMovingAverage(0.9).apply([kernel])
        session.run(v1.global_variables_initializer())
        session.run([train, average])
        v1.train.Saver(write_version=version, **saver).save(
            session, str(folder / "model.ckpt"), global_step=step
        )
        np.save(folder / "table.npy", session.run(tf.convert_to_tensor(table)))


def write_tf1_parts(folder: Path):
    """Save the parts of a table under keys of their own."""
    folder.mkdir()
    with tf.Graph().as_default(), v1.Session() as session:
        parts = {
            f"word_embedding/part_{i}": v1.get_variable(f"part_{i}", (ROWS // 2, COLUMNS))
            for i in range(2)
        }
        session.run(v1.global_variables_initializer())
        v1.train.Saver(parts).save(session, str(folder / "m.ckpt"))


def write_tf2(folder: Path):
    """Save with tf.train.Checkpoint, its manager, and without a state file."""
    table, step = tf.Variable(TABLE, name="table"), tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(word_embedding=table, step=step)
    checkpoint.save(str(folder / "tf2" / "ckpt"))
    checkpoint.write(str(folder / "tf2_write" / "ckpt"))
    manager = tf.train.CheckpointManager(
        tf.train.Checkpoint(emb=table), folder / "tf2_manager", max_to_keep=3
    )
    for number in (5, 10, 100):
        table.assign(TABLE * number)
        manager.save(checkpoint_number=number)
    table.assign(TABLE)
    module = tf.Module()
    module.tables = {"a/b.c": tf.Variable(TABLE, name="slashed")}
    module.weight = tf.Variable(TABLE[:3])
    tf.saved_model.save(module, str(folder / "module_saved_model"))
    many = tf.train.Checkpoint(layers=[tf.Variable([float(i)]) for i in range(2999)], emb=table)
    many.save(str(folder / "many" / "ckpt"))


def write_slices(folder: Path):
    """Save tables in slices: a sharded variable, data files of bounded size."""
    from tensorflow.python.distribute.sharded_variable import ShardedVariable

    pieces = [tf.Variable(TABLE[a:b]) for a, b in ((0, 34), (34, 67), (67, 100))]
    tf.train.Checkpoint(emb=ShardedVariable(pieces)).save(str(folder / "sharded_variable" / "ckpt"))
    policy = tf.train.experimental.MaxShardSizePolicy(max_shard_size=400)
    tf.train.Checkpoint(emb=tf.Variable(TABLE)).save(
        str(folder / "max_shard_size" / "ckpt"),
        options=tf.train.CheckpointOptions(experimental_sharding_callback=policy),
    )
    (folder / "tiles").mkdir()
    boxes = [(a, b) for a in ((0, 60), (60, 40)) for b in ((0, 3), (3, 5))]
    tf.raw_ops.SaveV2(
        prefix=str(folder / "tiles" / "ckpt"),
        tensor_names=["tiles"] * 4,
        shape_and_slices=[f"{ROWS} {COLUMNS} {a[0]},{a[1]}:{b[0]},{b[1]}" for a, b in boxes],
        tensors=[tf.constant(TABLE[a[0] : sum(a), b[0] : sum(b)]) for a, b in boxes],
    )


def write_dtypes(folder: Path):
    """Save a table of every type, V2 and V1."""
    numbers = np.random.default_rng(3).integers(0, 100, (ROWS, COLUMNS))
    arrays = {f"v_{d}": numbers.astype(d) for d in DTYPES}
    arrays |= {f"v_{d}": numbers.astype(getattr(ml_dtypes, d)) for d in SMALL_DTYPES}
    arrays |= {"v_signed": (numbers - 50).astype(np.int64), "v_i4": arrays["v_int32"] - 50}
    shapes = {"v_1d": TABLE[0], "v_3d": TABLE.reshape(2, 50, 8), "v_empty": TABLE[:0]}
    shapes["v_scalar"] = np.float32(3)
    (folder / "dtypes").mkdir()
    (folder / "dtypes_v1").mkdir()
    both = {**arrays, **shapes}
    tensors = [tf.constant(a) for a in both.values()]
    tf.raw_ops.SaveV2(
        prefix=str(folder / "dtypes" / "ckpt"),
        tensor_names=[*both, "v_string"],
        shape_and_slices=[""] * (len(both) + 1),
        tensors=[*tensors, tf.constant([["a", "b"], ["c", "d"]])],
    )
    old = {n: a for n, a in both.items() if n[2:] not in (*SMALL_DTYPES, "uint32", "uint64")}
    tf.raw_ops.Save(
        filename=str(folder / "dtypes_v1" / "ckpt"),
        tensor_names=list(old),
        data=[tf.constant(a) for a in old.values()],
    )


def write_keras(folder: Path):
    """Save models of Keras 3 and of tf_keras after a training step."""
    import keras

    def build(k):
        model = k.Sequential(
            [
                k.layers.Embedding(ROWS, COLUMNS, name="word_embedding"),
                k.layers.GlobalAveragePooling1D(),
                k.layers.Dense(5, name="dense"),
            ]
        )
        model.build((None, 3))
        model.layers[0].set_weights([TABLE])
        return model

    x, y = np.zeros((4, 3), np.int32), np.zeros((4, 5), np.float32)
    for name in KERAS3_OPTIMIZERS:
        keras.utils.clear_session()
        extra = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
        extra |= {"amsgrad": True} if name == "AdamW" else {}
        model, optimizer = build(keras), getattr(keras.optimizers, name)(**extra)
        optimizer.build(model.trainable_variables)
        tf.train.Checkpoint(model=model, optimizer=optimizer).save(
            str(folder / f"keras3_{name.lower()}" / "ckpt")
        )
    model.compile(keras.optimizers.Adam(), "mse", run_eagerly=True)
    model.train_on_batch(x, y)
    tf.saved_model.save(model, str(folder / "keras3_saved_model"))
    model.export(str(folder / "keras3_export"), verbose=False)
    write_tf_keras(folder, build, x, y)


def write_tf_keras(folder: Path, build, x, y):
    """Save models of tf_keras with its new and its legacy optimizer."""
    import tf_keras

    for name, optimizer in {
        "new": tf_keras.optimizers.Adam(),
        "legacy": tf_keras.optimizers.legacy.Adam(),
    }.items():
        tf_keras.backend.clear_session()
        model = build(tf_keras)
        model.compile(optimizer, "mse", run_eagerly=True)
        model.train_on_batch(x, y)
        model.save_weights(str(folder / f"tf_keras_{name}" / "cp.ckpt"))
        tf.train.Checkpoint(model=model, optimizer=optimizer).save(
            str(folder / f"tf_keras_{name}_checkpoint" / "ckpt")
        )


def write_oracle(folder: Path):
    """Write what TensorFlow reads from every checkpoint that it can read whole."""
    prefixes = [p.with_suffix("") for p in folder.rglob("*.index")]
    prefixes += [folder / "tf1_v1" / "model.ckpt-1", folder / "dtypes_v1" / "ckpt"]
    prefixes += [folder / "tf1_v1_sharded" / "model.ckpt-1-?????-of-00003"]
    oracle: dict[str, dict[str, list]] = {}
    with (folder / "oracle.bin").open("wb") as binary:
        for prefix in sorted(prefixes):
            reader = tf.train.load_checkpoint(str(prefix))
            tensors = oracle[prefix.relative_to(folder).as_posix()] = {}
            types = reader.get_variable_to_dtype_map()
            for name, shape in sorted(reader.get_variable_to_shape_map().items()):
                try:
                    value = reader.get_tensor(name)
                except tf.errors.UnimplementedError:
                    value = tf.raw_ops.Restore(
                        file_pattern=str(prefix), tensor_name=name, dt=types[name]
                    ).numpy()
                data = b"" if types[name] == tf.string else np.asarray(value).tobytes()
                if types[name] == tf.string and not shape:
                    data = value
                tensors[name] = [shape, types[name].name, binary.tell(), len(data)]
                binary.write(data)
    (folder / "oracle.json").write_text(json.dumps(oracle), encoding="utf-8")


def main(folder: Path):
    for name in TF1_OPTIMIZERS:
        write_tf1(folder / f"tf1_{name}", name)
    write_tf1(folder / "tf1_sharded", sharded=True)
    write_tf1(folder / "tf1_partitioned", n_parts=3)
    write_tf1(folder / "tf1_partitioned_axis1", n_parts=3, axis=1)
    old = {"version": v1.train.SaverDef.V1}
    write_tf1(folder / "tf1_v1", **old)
    write_tf1(folder / "tf1_v1_partitioned", n_parts=3, **old)
    write_tf1(folder / "tf1_v1_partitioned_axis1", n_parts=3, axis=1, **old)
    write_tf1_sharded(folder, old)
    write_tf1_parts(folder / "tf1_parts")
    write_tf2(folder)
    write_slices(folder)
    write_dtypes(folder)
    write_keras(folder)
    write_oracle(folder)


def write_tf1_sharded(folder: Path, old: dict):
    """Save V1 and V2 in a file a device."""
    for name, options in (("tf1_v1_sharded", old), ("tf1_three_shards", {})):
        (folder / name).mkdir()
        config = v1.ConfigProto(device_count={"CPU": 3})
        with tf.Graph().as_default(), v1.Session(config=config) as session:
            for i, key in enumerate(("word_embedding", "word_embedding_2", "bias")):
                with tf.device(f"/cpu:{i}"):
                    v1.get_variable(key, initializer=TABLE * (i + 1))
            session.run(v1.global_variables_initializer())
            version = options.get("version", v1.train.SaverDef.V2)
            v1.train.Saver(sharded=True, write_version=version).save(
                session, str(folder / name / "model.ckpt"), global_step=1
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
