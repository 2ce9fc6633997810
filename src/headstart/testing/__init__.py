"""The contracts of parts, as functions that assert: hold a part of your own to those of its kind.

Every module has a `CONTRACT`, a tuple of functions of one part, each of which raises an
AssertionError where the part does not keep what its docstring says. Those of optimizers have an
`OPTIONAL_CONTRACT` too, which holds without weight decay. With pytest:

    from headstart.testing.clients import CONTRACT

    @pytest.mark.parametrize("rule", CONTRACT)
    def test_mine(rule):
        rule(clipped(bound=0.5))
"""
