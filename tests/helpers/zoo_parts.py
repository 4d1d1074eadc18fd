"""What the configs of the zoo share: one base under all of mlx-lm's spellings, and what each family adds to it.

`from_dict` of mlx-lm ignores keys it does not know, so a base may hold every spelling at once. Sizes are small, not
degenerate: four blocks, more query heads than key heads, a window shorter than a test's longest prompt, two of four
experts a token.
"""

from typing import Any

Config = dict[str, Any]

WINDOW = 8
FULL, SLIDING, LINEAR = "full_attention", "sliding_attention", "linear_attention"
ALTERNATING = [SLIDING, FULL, SLIDING, FULL]
ROPE = {"rope_type": "default", "rope_theta": 10_000.0}
ROPE_BY_TYPE = {FULL: ROPE, SLIDING: ROPE}
YARN = {"rope_type": "yarn", "rope_theta": 10_000.0, "factor": 2.0, "original_max_position_embeddings": 128}
MISTRAL_ROPE = YARN | {"llama_4_scaling_beta": 0.1}

BASE: Config = {
    # sizes
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
    # norms and biases
    "rms_norm_eps": 1e-5,
    "layer_norm_eps": 1e-5,
    "layer_norm_epsilon": 1e-5,
    "layernorm_epsilon": 1e-5,
    "norm_eps": 1e-5,
    "norm_epsilon": 1e-5,
    "attention_bias": False,
    "mlp_bias": False,
    "use_bias": False,
    "use_qk_norm": True,
    "qk_norm": True,
    "tie_word_embeddings": False,
    # positions and windows
    "rope_theta": 10_000.0,
    "rope_scaling": None,
    "rope_parameters": ROPE,
    "partial_rotary_factor": 0.5,
    "sliding_window": WINDOW,
    "layer_types": None,
}

# GPT-2's children count in `n_`.
GPT: Config = BASE | {
    "n_embd": 32,
    "n_head": 4,
    "n_layer": 4,
    "n_ctx": 256,
    "n_positions": 256,
    "n_inner": 48,
    "num_key_value_heads": None,
}

MOE: Config = BASE | {
    "num_experts": 4,
    "num_local_experts": 4,
    "n_routed_experts": 4,
    "moe_num_experts": 4,
    "num_experts_per_tok": 2,
    "num_experts_per_token": 2,
    "moe_topk": 2,
    "moe_top_k": 2,
    "moe_k": 2,
    "top_k_experts": 2,
    "n_shared_experts": 1,
    "num_shared_experts": 1,
    "num_shared_expert": 1,
    "moe_num_shared_experts": 1,
    "moe_intermediate_size": 16,
    "expert_ffn_hidden_size": 16,
    "ffn_hidden_size": 48,
    "intermediate_size_mlp": 48,
    "dense_intermediate_size": 48,
    "shared_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
    "moe_shared_expert_intermediate_size": 16,
    "share_expert_dim": 16,
    "n_group": 1,
    "topk_group": 1,
    "norm_topk_prob": True,
    "routed_scaling_factor": 1.0,
    "scoring_func": "sigmoid",
    "topk_method": "noaux_tc",
    "first_k_dense_replace": 1,
    "num_dense_layers": 1,
    "moe_layer_freq": 1,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [0],
}

# Multi-head latent attention: keys and values from one low-rank latent.
MLA: Config = MOE | {
    "num_key_value_heads": 4,
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 8,
    "v_head_dim": 8,
    "qk_head_dim": 16,
}

# An indexer that picks which keys are attended to.
INDEXED: Config = MLA | {"index_head_dim": 16, "index_n_heads": 2, "index_topk": 4}

# Linear attention (gated delta net) with full attention in every second block.
DELTA: Config = MOE | {
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "linear_conv_kernel_dim": 4,
    "linear_allow_neg_eigval": True,
    "full_attention_interval": 2,
}
KIMI_LINEAR: Config = {"kda_layers": [1, 3], "num_heads": 2, "head_dim": 8, "short_conv_kernel_size": 4}

MAMBA: Config = MOE | {
    "state_size": 8,
    "ssm_state_size": 8,
    "conv_kernel": 4,
    "use_conv_bias": True,
    "time_step_rank": 4,
    "time_step_limit": (0.001, 100.0),
    "n_groups": 2,
    "num_heads": 8,
    "mamba_num_heads": 4,
    "mamba_n_heads": 4,
    "mamba_head_dim": 8,
    "mamba_d_head": 8,
    "mamba_d_ssm": 32,
    "mamba_d_state": 8,
    "mamba_d_conv": 4,
    "mamba_n_groups": 2,
    "mamba_expand": 2,
    "mamba_conv_bias": True,
    "mamba_proj_bias": False,
}

GRANITE: Config = MAMBA | {
    "logits_scaling": 2.0,
    "attention_multiplier": 0.3,
    "embedding_multiplier": 2.0,
    "residual_multiplier": 0.5,
}

GEMMA_4: Config = BASE | {
    "global_head_dim": 16,
    "num_kv_shared_layers": 2,
    "hidden_size_per_layer_input": 8,
    "vocab_size_per_layer_input": 96,
    "layer_types": ALTERNATING,
    "rope_parameters": ROPE_BY_TYPE,
    "tie_word_embeddings": True,
}
GEMMA_3N: Config = BASE | {
    "num_kv_shared_layers": 2,
    "hidden_size_per_layer_input": 8,
    "vocab_size_per_layer_input": 96,
    "rope_local_base_freq": 10_000.0,
    "final_logit_softcapping": 30.0,
    "layer_types": ALTERNATING,
    "activation_sparsity_pattern": [0.5, 0.5, 0.0, 0.0],
    "altup_num_inputs": 4,
    "altup_coef_clip": 120.0,
    "altup_correct_scale": True,
    "altup_active_idx": 0,
    "laurel_rank": 4,
}
LFM2: Config = MOE | {
    "layer_types": ["conv", FULL, "conv", FULL],
    "conv_bias": False,
    "conv_L_cache": 3,
    "block_dim": 32,
    "block_multiple_of": 16,
    "block_ffn_dim_multiplier": 1.0,
    "block_auto_adjust_ff_dim": False,
    "use_expert_bias": True,
}
MUSE: Config = MOE | {
    "post_norm_eps": 1e-6,
    "layer_types": ALTERNATING,
    "layer_rope_theta": [10_000.0, 0, 10_000.0, 0],
    "final_logit_softcapping": 20.0,
    "output_multiplier": 0.5,
    "num_shared_experts": 0,
    "moe_hidden_size": 16,
}
LONGCAT: Config = MLA | {
    "attention_method": "MLA",
    "zero_expert_type": "identity",
    "zero_expert_num": 2,
    "num_layers": 3,
    "mla_scale_q_lora": True,
    "mla_scale_kv_lora": True,
}
BAILING: Config = MOE | {"layer_group_size": 2, "group_norm_size": 2, "score_function": "sigmoid"}


def text(config: Config, **outer: Any) -> Config:
    """Return `config` as the text half of a model that can also see."""
    return {"text_config": {"model_type": "text"} | config, **outer}
