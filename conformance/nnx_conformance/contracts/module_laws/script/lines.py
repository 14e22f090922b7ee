"""The lines of a script for each operation, on the subject and on its twin.

`$number` is the operation's input, `$seed` the program's seed, `$other` another seed, `$at` the number of the step.
"""

from __future__ import annotations

from string import Template

from nnx_conformance.contracts.module_laws.facts import StepFacts
from nnx_conformance.contracts.module_laws.program.language import MADE, OTHER, Word

#: The functions that an operation's lines call, if they have other names than the operation.
CALLED = {
    "remake": ("with_garbage", "with_zeros"),
    "lend": ("aligned", "own_copy", "overwrite"),
    "abstract": ("abstractly",),
    "tree": ("mapped",),
    "pickle": ("pickled",),
    "fori_loop": ("blank",),
    "while_loop": ("blank",),
    "donate": ("untie",),
    **dict.fromkeys(
        ("shard", "place", "shardmap"), ("mesh_of", "on_mesh", "placed", "divided", "at_home", "one_device")
    ),
}
TWIN, CALL = "wanted = twin_call($number)", "got = call(module, *given($number))"
LEFT = "kept.append((module, look(module), another($seed, done), list(done)))"
CHANGED = "changed = [path for path, (_, leaves) in look(other).items() if same(leaves, held[path][1], 0.0, 0.0)]"

#: On a mesh: call the twin, and place the state.
ON_MESH = (
    "numbers_given = $inputs",
    "wanted = [twin_call(number) for number in numbers_given]",
    "mesh = mesh_of($axes)",
    "with on_mesh(mesh):",
    "    module = placed(module, mesh, $placed)",
)
#: If the subject declares a mesh, make a module on it as well.
MADE_ON_MESH = (
    "mesh = mesh_of($axes)",
    "with on_mesh(mesh):",
    "    made = make($seed)",
    "with one_device():",
    "    check($at, agree(made, (), make($seed), (), 1e-3, 1e-3))",
)

#: The twin first, then the subject. Other operations are plain calls.
LINES: dict[str, tuple[str, ...]] = {
    "shard": (
        *ON_MESH,
        "    got = [jit_step(module, $rows) for number in numbers_given]",
        "module = at_home(module, value('mesh', ()))",
    ),
    "place": (
        *ON_MESH,
        "    got = [jit_step(module, $rows) for number in numbers_given]",
        "    strayed = astray(module, mesh)",
        "module = at_home(module, value('mesh', ()))",
    ),
    "shardmap": (
        *ON_MESH,
        "    pairs = zip(numbers_given, wanted)",
        "    got = [shardmap_step(module, $rows, mesh, $axis, like_these) for number, like_these in pairs]",
        "    check($at, agree(of_shard(module, 1), (), twin, (), 1e-3, 1e-3))",
        "module = at_home(module, value('mesh', ()))",
    ),
    "eval": ("module.eval(), twin.eval(), done.append('eval')",),
    "train": ("module.train(), twin.train(), done.append('train')",),
    "jit": (TWIN, "got = jit_step(module, given($number))"),
    "remat": (TWIN, "got = remat_step(module, given($number))"),
    "cond": (TWIN, "got = cond_step(module, given($number), jax.tree.map(jnp.zeros_like, wanted))"),
    "grad": (TWIN, "_, got = grad_step(module, given($number))"),
    "optimize": (
        TWIN,
        "got = optimize_step(module, given($number))",
        "params = jax.tree.map(jnp.array, nnx.state(module, nnx.Param))",
        "nnx.update(twin, params), done.append(params)",
    ),
    "scan": (
        "numbers_given = $inputs",
        "wanted = [twin_call(number) for number in numbers_given]",
        "outputs = scan_step(module, stacked([given(number) for number in numbers_given]))",
        "got = [unstacked(outputs, at) for at in range(len(numbers_given))]",
    ),
    **{
        name: (
            "numbers_given = $inputs",
            "wanted = [twin_call(number) for number in numbers_given]",
            f"outputs = {name}_step(module, stacked([given(number) for number in numbers_given]), blank(wanted))",
            "got = [unstacked(outputs, at) for at in range(len(numbers_given))]",
        )
        for name in ("fori_loop", "while_loop")
    },
    **{name: (TWIN, f"got = {name}_step(module, given($number))") for name in ("switch", "custom_vjp", "vjp", "jvp")},
    "donate": (TWIN, "untie(module, twin)", "got = donate_step(module, given($number))"),
    "vmap": (
        "first, second = $inputs",
        "other, lanes = another($other, done), stack([module, another($other, done)])",
        TWIN,
        "outputs = vmap_step(lanes, stacked([given(first), given(second)]))",
        "beside = call(other, *given(second))",
        "check($at, agree(lane(lanes, 1), unstacked(outputs, 1), other, beside, 1e-3, 1e-3))",
        "module, got = lane(lanes, 0), unstacked(outputs, 0)",
    ),
    "split": ("module = split(module)", TWIN, CALL),
    "copy": (LEFT, "module = copy(module)", TWIN, CALL),
    "clone": (LEFT, "module = clone(module)", TWIN, CALL),
    "original": (
        "left = module, look(module), twin, list(done)",
        "module, _, twin, done[:] = kept.pop()",
        "kept.append(left)",
        TWIN,
        CALL,
    ),
    "save": ("fresh = like(module, $other, $number)", "load(fresh, save(module))", "module = fresh", TWIN, CALL),
    "reload": (
        "saved = save(module)",
        "first = call(module, *given($number))",
        "load(module, saved)",
        TWIN,
        CALL,
        "check($at, same(got, first, 0.0, 0.0))",
    ),
    "restart": (
        "saved = received()",
        "twin = another($seed, done)",
        "module = like(saved, $other, $number)",
        "restore(module, saved)",
        TWIN,
        CALL,
    ),
    "graft": ("fresh = like(module, $seed, $number)", "load(fresh, save(module))", "module = fresh", TWIN, CALL),
    "remake": (
        "jax.clear_caches()",
        "other = with_garbage(lambda: make($seed))",
        "jax.clear_caches()",
        "fresh = with_zeros(lambda: make($seed))",
        "check($at, agree(other, (), fresh, (), 0.0, 0.0))",
        "beside = with_zeros(lambda: call(fresh, *given($number)))",
        "jax.clear_caches()",
        "outputs = with_garbage(lambda: call(other, *given($number)))",
        "check($at, agree(other, outputs, fresh, beside, 0.0, 0.0))",
        TWIN,
        CALL,
    ),
    "lend": (
        "lent = jax.tree.map(aligned, given($number))",
        TWIN,
        "got = jax.tree.map(own_copy, call(module, *lent))",
        "held = look(module)",
        "overwrite(lent)",
        "changed = [path for path, (_, leaves) in look(module).items() if same(leaves, held[path][1], 0.0, 0.0)]",
        "check($at, f'what was written into the input changed the state: {changed[0]}' if changed else '')",
    ),
    "abstract": (
        TWIN,
        "made = nnx.eval_shape(lambda: make($seed))",
        "shapes = nnx.eval_shape(step, module, given($number))",
        "check($at, abstractly(shapes, wanted, made, make($seed)))",
        CALL,
    ),
    "derive": (TWIN, "grads, got = grad_step(module, given($number))"),
    "again": (
        "wanted = [twin_call($number) for _ in range(2)]",
        "mine = given($number)",
        "got = [call(module, *mine) for _ in range(2)]",
    ),
    "tree": ("module = mapped(module)", TWIN, CALL),
    "plainjit": (TWIN, "got, module = plainjit_step(module, given($number))"),
    "deepcopy": (LEFT, "module = deepcopy(module)", TWIN, CALL),
    "pickle": ("module = pickled(module)", TWIN, CALL),
    "pair": (
        "other = make($seed)",
        "held = look(other)",
        TWIN,
        CALL,
        CHANGED,
        "check($at, f'a call of one module changed another: {changed[0]}' if changed else '')",
    ),
    "rerun": (
        "other = another($seed, done)",
        TWIN,
        CALL,
        "again = call(other, *given($number))",
        "check($at, agree(other, again, twin, wanted, 0.0, 0.0))",
    ),
}


def lines(word: Word, step: StepFacts, seed: int, number: int) -> list[str]:
    """The lines for step `number`, from 1, on both sides."""
    name = word.operation.name
    values = {"number": word.input, "seed": seed, "other": seed + OTHER, "at": number, "inputs": list(step.inputs)}
    values |= {"axes": {axis.name: int(axis.value) for axis in step.axes}, "axis": repr(step.divided)}
    values |= {"rows": f"divided(given(number), mesh, {step.divided!r})" if step.divided else "given(number)"}
    chosen = LINES.get(name, (TWIN, CALL))
    if name == "place" and any(pair.name == MADE for pair in step.pairs):
        chosen = MADE_ON_MESH + chosen
    return [Template(line).substitute(values, placed=name == "place") for line in chosen]
